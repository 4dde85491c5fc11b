//! What is kept for a time, and then no longer.

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, files_below, names_in, words};
use jiff::{SignedDuration, Timestamp};
use kellgrend::digest::Digest;
use kellgrend::retention::Clock;
use rustix::process::Signal;
use std::time::Duration;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";
const ENDED: &str = "SELECT count(*) FROM files WHERE state IN ('published', 'quarantined', 'duplicate')";
pub const TERMS: &str = "archive = \"30days\"\noutbox = \"40days\"\nquarantine = \"50days\"";

/// Settings with these terms.
pub fn terms(terms: &str) -> String {
    format!("{QUICK}\n[retention]\n{terms}\n")
}

/// Two films, of which a reader has graded the second, and what is no film at all; all of them long ago.
pub fn long_ago(settings: &str) -> Sandbox {
    let sandbox = Sandbox::with(settings);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for (name, bytes) in [("1.png", small_png(1)), ("2.png", small_png(2)), ("3.png", b"no film".to_vec())] {
        sandbox.drop_in(name, &bytes);
    }
    sandbox.until(ENDED, 3);
    daemon.stop(Signal::TERM);
    let read = Digest::of(&small_png(2)).to_string();
    let labelled = sandbox.output(&["labels", "add", &read, "--grade", "2", "--reader", "Dr. A"]);
    assert!(labelled.status.success(), "{}", words(&labelled));
    age(&sandbox);
    sandbox
}

/// All that has happened so far happened a year ago, but for a start ten days ago.
fn age(sandbox: &Sandbox) {
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    for sql in [
        "UPDATE file_states SET at = '2025-11-01' || substr(at, 11)",
        "UPDATE grades SET graded_at = '2025-11-01' || substr(graded_at, 11)",
        "UPDATE starts SET started_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-10 days') WHERE id = 1",
    ] {
        db.execute(sql, []).expect("aged");
    }
}

pub fn kept(sandbox: &Sandbox) -> [usize; 3] {
    ["archive", "outbox", "quarantine"].map(|folder| files_below(&sandbox.state().join(folder)).len())
}

fn removes(sandbox: &Sandbox) -> String {
    let output = sandbox.output(&["retention", "--remove"]);
    assert!(output.status.success(), "{}", words(&output));
    words(&output)
}

fn is_sound(sandbox: &Sandbox) {
    let checked = sandbox.output(&["check", "--ledger", "--strict"]);
    assert!(checked.status.success(), "{}", words(&checked));
}

/// After a start without a battery the clock says 2000 or 1970, and what was graded then is not as old as it says.
#[test]
fn what_was_noted_while_the_clock_was_wrong_stays() {
    let sandbox = long_ago(&terms(TERMS));
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute("UPDATE file_states SET at = '2000' || substr(at, 5)", []).expect("written");
    let before = kept(&sandbox);
    removes(&sandbox);
    assert_eq!(kept(&sandbox), before);
}

/// The clock was months behind at a start, and was put right.
#[test]
fn what_was_graded_after_something_young_is_not_old() {
    let sandbox = long_ago(&terms(TERMS));
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    let now = "UPDATE grades SET graded_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = 1";
    db.execute(now, []).expect("written");
    removes(&sandbox);
    assert_eq!(kept(&sandbox), [2, 6, 0], "what was refused is not told from what is old");
}

/// By a clock that is decades ahead everything is old.
#[test]
fn nothing_is_removed_by_a_clock_that_cannot_be_believed() {
    let all = "archive = \"30days\"\noutbox = \"30days\"\nquarantine = \"30days\"\nledger = \"1year\"\nremove = true";
    let sandbox = long_ago(&terms(all));
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute("UPDATE starts SET started_at = '2025-11-01' || substr(started_at, 11)", []).expect("aged");
    let before = kept(&sandbox);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    while !daemon.log().contains("nothing is removed until the clock has gone on evenly for a week") {
        assert!(daemon.is_alive());
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    assert_eq!(kept(&sandbox), before);
    removes(&sandbox);
    assert_eq!(kept(&sandbox), [1, 0, 0], "who sees what is due may have it removed");
}

#[test]
fn a_clock_is_believed_again_when_it_has_gone_on_evenly_for_a_week() {
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let sandbox = long_ago(&terms(TERMS));
    let ledger = sandbox.state().join("ledger.db");
    let begins = Timestamp::now();
    let mut clock = Clock::new(begins, hours(5));
    let mut says = |wall: i64, ran: u64| {
        let wall = begins.checked_add(SignedDuration::from_hours(wall)).expect("a time");
        clock.is_believed(wall, hours(5 + ran), &ledger).expect("a ledger")
    };
    assert!(says(0, 0), "a start is on record of ten days ago");
    assert!(says(20, 1), "a leap of less than a day");
    assert!(!says(20 + 30 * 24, 2));
    assert!(!says(20 + 36 * 24, 2 + 6 * 24));
    assert!(says(20 + 37 * 24, 2 + 7 * 24));
    assert!(!says(20, 3 + 7 * 24), "back again");
}

#[test]
fn everything_is_kept_unless_the_settings_say_otherwise_and_shown_before_it_goes() {
    let sandbox = long_ago(QUICK);
    assert!(words(&sandbox.output(&["retention"])).contains("kept for ever"));
    assert!(removes(&sandbox).contains("kept for ever"));
    std::fs::write(sandbox.beside("kellgrend.toml"), terms(TERMS)).expect("settings");
    let before = kept(&sandbox);
    let said = words(&sandbox.output(&["retention"]));
    for store in ["archive     30 days", "outbox      40 days", "quarantine  50 days"] {
        assert!(said.contains(store), "{said}");
    }
    assert!(said.contains("nothing was removed") && said.contains("2025-11-01"), "{said}");
    // the daemon, too, only tells
    let mut daemon = sandbox.daemon();
    daemon.ready();
    while !daemon.log().contains("has been kept for its time") {
        assert!(daemon.is_alive());
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    assert_eq!(kept(&sandbox), before);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_removed"), 0);
}

#[test]
fn what_was_kept_for_its_time_goes_and_what_a_reader_has_graded_stays() {
    let sandbox = long_ago(&terms(TERMS));
    let young = small_png(3);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("young.png", &young);
    sandbox.until(PUBLISHED, 3);
    daemon.stop(Signal::TERM);
    removes(&sandbox);
    let originals: Vec<_> = files_below(&sandbox.state().join("archive"))
        .iter()
        .map(|path| Digest::of(&std::fs::read(path).expect("an original")))
        .collect();
    assert_eq!(originals.len(), 2);
    assert!(originals.contains(&Digest::of(&young)) && originals.contains(&Digest::of(&small_png(2))));
    assert_eq!(sandbox.results().len(), 1, "the young one's");
    assert_eq!(kept(&sandbox)[2], 0, "neither a refused file nor its reason");
    assert_eq!(sandbox.count("SELECT count(*) FROM report_removed WHERE what = 'original'"), 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_removed WHERE what = 'result'"), 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_grades"), 3, "the ledger knows them all");
    is_sound(&sandbox);
    let again = removes(&sandbox);
    let counts = again.lines().skip(1).map(|line| line.split_whitespace().nth(1));
    assert!(counts.eq([Some("0"); 3]), "nothing is removed twice: {again}");
}

#[test]
fn a_film_that_comes_again_after_its_original_went_is_graded_no_second_time_and_kept_again() {
    let sandbox = long_ago(&terms(TERMS));
    // somebody was faster with one of them
    let refused = Digest::of(b"no film");
    std::fs::remove_file(sandbox.state().join(format!("quarantine/{refused}.bin"))).expect("removed");
    removes(&sandbox);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("again.png", &small_png(1));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'duplicate'", 1);
    daemon.stop(Signal::TERM);
    assert_eq!(kept(&sandbox)[0], 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 2);
    is_sound(&sandbox);
    removes(&sandbox);
    assert_eq!(kept(&sandbox)[0], 2, "its time begins anew");
    age(&sandbox);
    removes(&sandbox);
    assert_eq!(kept(&sandbox)[0], 1);
    is_sound(&sandbox);
}

#[test]
fn rows_go_when_all_that_they_tell_of_is_gone_and_the_daemon_does_it_where_it_may() {
    let all = "archive = \"30days\"\noutbox = \"30days\"\nquarantine = \"30days\"\nledger = \"1year\"\nremove = true";
    let sandbox = long_ago(&terms(all));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM radiographs", 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades JOIN knees k ON k.id = knee"), 1, "what a reader has graded");
    for table in ["files", "knees", "votes"] {
        assert_eq!(sandbox.count(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    assert_eq!(kept(&sandbox), [1, 0, 0]);
    // nothing is known of it any more: it is a new film
    sandbox.drop_in("1.png", &small_png(1));
    sandbox.until(PUBLISHED, 2);
    daemon.stop(Signal::TERM);
    is_sound(&sandbox);
}

#[test]
fn what_cannot_be_seen_is_not_taken_for_removed() {
    let sandbox = long_ago(&terms(TERMS));
    let (archive, away) = (sandbox.state().join("archive"), sandbox.beside("away"));
    std::fs::rename(&archive, &away).expect("unmounted");
    std::fs::create_dir(&archive).expect("a mount point");
    // whether or not anything was put there meanwhile
    for other in [None, Some("meanwhile.png")] {
        other.iter().for_each(|name| std::fs::write(archive.join(name), small_png(9)).expect("written"));
        let output = sandbox.output(&["retention", "--remove"]);
        assert!(
            !output.status.success() && words(&output).contains("nothing of what is due is in"),
            "{}",
            words(&output)
        );
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM report_removed WHERE what = 'original'"), 1, "what was refused");
    std::fs::remove_dir_all(&archive).expect("removed");
    std::fs::rename(&away, &archive).expect("mounted");
    removes(&sandbox);
    assert_eq!(kept(&sandbox)[0], 1, "what a reader has graded");
    is_sound(&sandbox);
    let said = words(&sandbox.output(&["retry", "--all"]));
    assert!(said.contains("quarantine is empty") && names_in(&sandbox.inbox()).is_empty(), "{said}");
}

#[test]
fn an_original_that_came_after_it_was_graded_by_hand_goes_like_others() {
    let sandbox = Sandbox::with(&terms(TERMS));
    let film = sandbox.beside("film.png");
    std::fs::write(&film, small_png(7)).expect("written");
    assert!(sandbox.output(&["grade", film.to_str().expect("UTF-8")]).status.success());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("film.png", &small_png(7));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'duplicate'", 1);
    daemon.stop(Signal::TERM);
    assert_eq!(kept(&sandbox)[0], 1, "it is kept nowhere else");
    age(&sandbox);
    removes(&sandbox);
    assert_eq!(kept(&sandbox), [0, 0, 0]);
    is_sound(&sandbox);
}
