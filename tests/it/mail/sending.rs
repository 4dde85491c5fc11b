//! Sending: each way to a server, each way it can fail, and what time does to what waits.

use super::{Room, at, low_disk, open_settings, settings, subjects};
use crate::smtp::{Manners, Smtp, closed_port};
use jiff::ToSpan as _;
use kellgrend::ledger::{ReleaseRow, RunRow};
use kellgrend::mail::{Office, Signs};
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::Ordering;

const NOON: &str = "2026-11-25T12:00:00Z";

/// Settings with user and password that reach the server in this way, trusting the authority in a file.
fn closed_settings(server: &Smtp, security: &str, folder: &Path) -> String {
    let (ca, password) = (folder.join("ca.pem"), folder.join("password"));
    std::fs::write(&ca, server.authority()).expect("written");
    std::fs::write(&password, "right horse\n").expect("written");
    open_settings(server.port()).replace("\"none\"", &format!("\"{security}\""))
        + &format!("ca_file = \"{}\"\nuser = \"knees\"\npassword_file = \"{}\"\n", ca.display(), password.display())
}

#[test]
fn mail_goes_plain_and_by_starttls_and_by_tls_with_a_private_authority() {
    let login = Some(("knees", "right horse"));
    for (security, starttls, tls) in [("none", false, false), ("starttls", true, false), ("tls", false, true)] {
        let server = Smtp::new(Manners { starttls, tls, login, ..Manners::default() });
        let files = tempfile::tempdir().expect("a folder");
        let mut room = Room::new(&closed_settings(&server, security, files.path()), at(NOON));
        room.look(&low_disk());
        let taken = server.taken();
        assert_eq!(taken.len(), 1, "{security}: {}", room.text("SELECT coalesce(last_error, '') FROM mails"));
        assert_eq!(
            (taken[0].is_encrypted, taken[0].to.as_slice()),
            (starttls || tls, &["it@clinic.example".to_owned()][..])
        );
        assert_eq!(subjects(&server), ["only 1.0 GiB free on disk"]);
        assert_eq!(room.count("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL"), 1);
    }
}

#[test]
fn a_wrong_password_is_named_and_a_new_one_holds_at_the_next_attempt() {
    let server = Smtp::new(Manners { starttls: true, login: Some(("knees", "right horse")), ..Manners::default() });
    let files = tempfile::tempdir().expect("a folder");
    let mut room = Room::new(&closed_settings(&server, "starttls", files.path()), at(NOON));
    std::fs::write(files.path().join("password"), "wrong horse").expect("written");
    room.look(&low_disk());
    let error = room.text("SELECT last_error FROM report_mail WHERE state = 'waiting'");
    assert!(error.contains("535") && error.contains("password_file") && !error.contains("horse"), "{error}");
    std::fs::remove_file(files.path().join("password")).expect("removed");
    room.now += 1.minute();
    room.look(&low_disk());
    let error = room.text("SELECT last_error FROM mails");
    assert!(error.contains(&files.path().join("password").display().to_string()), "{error}");
    std::fs::write(files.path().join("password"), "right horse").expect("written");
    room.now += 1.hour();
    room.look(&low_disk());
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn nothing_is_said_to_a_server_that_cannot_be_trusted() {
    let login = Some(("knees", "right horse"));
    let files = tempfile::tempdir().expect("a folder");
    let stranger = Smtp::new(Manners { starttls: true, login, ..Manners::default() });
    let text = closed_settings(&stranger, "starttls", files.path());
    std::fs::write(files.path().join("ca.pem"), Smtp::new(Manners::default()).authority()).expect("written");
    let bare = Smtp::new(Manners { login, ..Manners::default() });
    let other = text.replace(&format!("port = {}", stranger.port()), &format!("port = {}", bare.port()));
    for (server, text, hint) in [(&stranger, &text, "ca_file"), (&bare, &other, "security")] {
        let mut room = Room::new(text, at(NOON));
        room.look(&low_disk());
        let error = room.text("SELECT last_error FROM mails");
        assert!(error.contains(hint), "{error}");
        assert!(server.taken().is_empty());
    }
}

#[test]
fn a_mail_that_cannot_be_written_holds_up_none_that_waits() {
    let port = closed_port();
    let mut room = Room::new(&open_settings(port), at(NOON));
    room.look(&low_disk());
    let server = Smtp::at(port, Manners::default());
    let db = Connection::open(room.folder.path().join("ledger.db")).expect("a ledger");
    db.execute_batch("CREATE TRIGGER full BEFORE INSERT ON mails BEGIN SELECT raise(ABORT, 'no room'); END")
        .expect("as on a full disk");
    room.now += 1.hour();
    let signs = Signs { inbox_unread_since: Some(at(NOON)), ..low_disk() };
    assert!(room.office.look(&signs, room.now).is_err_and(|error| error.to_string().contains("no room")));
    assert_eq!(subjects(&server), ["only 1.0 GiB free on disk"]);
    db.execute_batch("DROP TRIGGER full").expect("room again");
    room.look(&signs);
    assert_eq!(subjects(&server), ["only 1.0 GiB free on disk", "the inbox cannot be read"]);
}

/// However many there are and whenever they came: each is told once.
#[test]
fn lists_that_are_refused_are_told_once_and_together() {
    let server = Smtp::new(Manners::default());
    let mut room = Room::new(&open_settings(server.port()), at(NOON));
    let mut signs = Signs { refused_lists: vec![at(NOON) - 1.minute()], ..Signs::default() };
    room.look_for(1, 10, &signs);
    assert!(server.taken().is_empty(), "nobody had asked for mail then");
    signs.refused_lists.push(room.now);
    room.look_for(1, 10, &signs);
    signs.refused_lists.extend([room.now, room.now]);
    room.look_for(24, 10, &signs);
    assert_eq!(subjects(&server), ["a list of labels is refused", "2 lists of labels are refused"]);
    assert!(server.taken().iter().all(|mail| !mail.words().contains("Since the last mail")), "it is counted twice");
    signs.refused_lists.push(room.now + 2.hours());
    room.look_for(1, 10, &signs);
    assert_eq!(server.taken().len(), 2, "a clock that is ahead");
    room.look_for(24, 10, &signs);
    assert_eq!(server.taken().len(), 3, "each is told once");
}

/// Failure mode 70.
#[test]
fn smtp_server_down_for_three_days_queue_no_block_one_digest() {
    let port = closed_port();
    let mut room = Room::new(&format!("{}digest = \"0 7 * * *\"\n", open_settings(port)), at(NOON));
    room.look(&low_disk());
    let mut attempts = vec![room.count("SELECT attempts FROM mails WHERE kind = 'disk'")];
    for _ in 0..72 {
        // the disk is low for half an hour each hour
        room.look_for(1, 30, &Signs::default());
        room.look(&low_disk());
        attempts.push(room.count("SELECT attempts FROM mails WHERE kind = 'disk'"));
    }
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE sent_at IS NOT NULL"), 0);
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE kind = 'digest'"), 3);
    assert_eq!(room.count("SELECT count(*) FROM report_mail WHERE kind = 'digest' AND state = 'waiting'"), 1);
    assert_eq!(room.count("SELECT count(*) FROM mails WHERE kind = 'disk'"), 1, "one of a kind waits");
    assert_eq!(room.count("SELECT repeats FROM mails WHERE kind = 'disk'"), 72, "and counts what comes after it");
    let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[12..].iter().all(|pause| *pause == 1), "at least once an hour, and no more: {pauses:?}");

    let server = Smtp::at(port, Manners::default());
    room.look_for(2, 10, &Signs::default());
    let mut told = subjects(&server);
    told.sort();
    assert_eq!(told, ["0 knees graded, 0 files quarantined", "only 1.0 GiB free on disk"], "one copy of each");
    assert_eq!(
        room.text("SELECT since FROM mails WHERE kind = 'digest' AND sent_at IS NOT NULL"),
        "2026-11-25T12:00:00.000Z"
    );
    assert_eq!(room.count("SELECT count(*) FROM report_mail WHERE state = 'waiting'"), 0);
    room.look(&low_disk());
    assert!(
        server.taken().last().expect("a mail").words().contains("72 times more"),
        "what was counted is told by the next"
    );
}

#[test]
fn a_mail_whose_fate_is_unknown_is_sent_again_as_the_same() {
    let manners = Manners::default();
    manners.hangs_up.store(true, Ordering::SeqCst);
    let server = Smtp::new(manners.clone());
    let mut room = Room::new(&open_settings(server.port()), at(NOON));
    room.look(&low_disk());
    assert_eq!(room.count("SELECT count(*) FROM report_mail WHERE state = 'waiting' AND attempts = 1"), 1);
    manners.hangs_up.store(false, Ordering::SeqCst);
    room.now += 1.minute();
    room.look(&low_disk());
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].data, taken[1].data, "to the byte, Message-ID and date too");
    assert_eq!(taken[0].header("Message-ID"), room.text("SELECT message_id FROM mails"));
}

#[test]
fn one_mail_that_is_refused_does_not_hold_up_the_others() {
    let server = Smtp::new(Manners::default());
    let mut room = Room::new(&open_settings(server.port()).replace("it@", "nobody@"), at(NOON));
    room.look(&low_disk());
    let error = room.text("SELECT last_error FROM mails");
    assert!(error.contains("550") && error.contains("no such user"), "{error}");
    let mended = super::settings(&open_settings(server.port()));
    let path = room.folder.path().join("ledger.db");
    let office = kellgrend::mail::Office::open(&mended, room.ledger.clone(), path, "clinic-a".into(), room.now);
    room.office = office.expect("a mail room").expect("that is open");
    room.look(&low_disk());
    assert_eq!(server.taken().len(), 1, "with settings mended, what waits is tried at once");
}

/// Who has left the clinic keeps no mail from those who are still there.
#[test]
fn a_reader_whom_the_server_does_not_know_keeps_no_mail_from_the_others() {
    let server = Smtp::new(Manners::default());
    let to = "to = [\"it@clinic.example\", \"nobody@clinic.example\", \"ward@clinic.example\"]";
    let mut room = Room::new(&open_settings(server.port()).replace("to = [\"it@clinic.example\"]", to), at(NOON));
    room.look(&low_disk());
    assert_eq!(room.count("SELECT count(*) FROM report_mail WHERE state = 'sent'"), 1);
    let readers: Vec<_> = server.taken().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(readers, ["it@clinic.example", "ward@clinic.example"]);
}

/// A clock that was ten years ahead for a day is no reason to say nothing for ten years.
#[test]
fn a_clock_that_was_far_ahead_silences_nothing() {
    let server = Smtp::new(Manners::default());
    let ahead = at("2036-11-25T12:00:00Z");
    let mut room = Room::new(&format!("{}digest = \"0 7 * * *\"\n", open_settings(server.port())), ahead);
    room.look_for(20, 60, &low_disk());
    let before = server.taken().len();
    assert!(before >= 2, "an alert, again and again, and a digest");
    // nor is one that stands at its beginning until it is set
    room.now = at("1970-01-02T00:00:00Z");
    room.look(&Signs::default());
    room.now = at(NOON);
    room.look_for(20, 60, &low_disk());
    let subjects = subjects(&server).split_off(before);
    assert_eq!(subjects.iter().filter(|subject| subject.contains("free on disk")).count(), 4, "{subjects:?}");
    assert_eq!(subjects.len(), 5, "and a digest: {subjects:?}");
    let since = room.text("SELECT since FROM mails WHERE kind = 'digest' ORDER BY id DESC LIMIT 1");
    assert_eq!(since, "2026-11-25T13:00:00.000Z");
}

#[test]
fn no_more_mails_an_hour_than_may_be() {
    let server = Smtp::new(Manners::default());
    let mut room = Room::new(&format!("{}at_most = 2\n", open_settings(server.port())), at(NOON));
    let since = Some(at("2026-11-25T09:00:00Z"));
    let all = Signs { inbox_unread_since: since, networks_fail_since: since, ..low_disk() };
    room.look(&all);
    assert_eq!(server.taken().len(), 2);
    room.look_for(1, 20, &all);
    assert_eq!(server.taken().len(), 3);
    room.look_for(4, 20, &all);
    assert_eq!(server.taken().len(), 3, "what lasts is not told again before its time");
    room.look_for(3, 20, &all);
    assert_eq!(server.taken().len(), 6, "and is told again then");
}

#[test]
fn each_training_is_told_once_and_none_that_ended_before_mail_was_on() {
    let server = Smtp::new(Manners::default());
    let mut room = Room::new(&open_settings(server.port()), at("2020-01-01T00:00:00Z"));
    let run = |name: &str| RunRow {
        name: name.into(),
        begun_at: "2026-11-25T00:00:00.000Z".into(),
        origin: "schedule".into(),
        data: "labels".into(),
        knees: 9,
        gold_knees: 1,
        fits: 5,
        plan: String::new(),
        of_labels: true,
        slot: None,
    };
    room.ledger.run_begun(run("first")).expect("begun");
    room.look(&Signs::default());
    assert!(server.taken().is_empty(), "it goes on");
    room.ledger.run_failed("first".into(), "The disk was full.".into()).expect("failed");
    let slot = at("2026-11-25T22:00:00Z");
    room.ledger.slot_failed(slot, "schedule".into(), "its process ended.").expect("decided");
    for _ in 0..3 {
        room.now += 1.hour();
        room.look(&Signs::default());
    }
    assert_eq!(subjects(&server), ["a training has failed", "a training has failed"]);
    let words = server.taken()[0].words() + &server.taken()[1].words();
    assert!(words.contains("The training first has failed: The disk was full."), "{words}");
    assert!(words.contains("A training that was due has failed: its process ended."), "{words}");

    // somebody mends it, and it goes on to its end
    room.ledger.run_begun(run("first")).expect("begun again");
    let (name, manifest) = ("first".to_owned(), String::new());
    let release = ReleaseRow { sha256: "ab".into(), name, vote: "mix".into(), members: 1, manifest };
    room.ledger.run_ended("first".into(), release, String::new(), None, "It stays at 0.8.".into()).expect("ended");
    for _ in 0..3 {
        room.now += 1.hour();
        room.look(&Signs::default());
    }
    assert_eq!(server.taken().len(), 3);
    assert!(
        server.taken()[2].words().contains("The training first has made a release"),
        "{}",
        server.taken()[2].words()
    );

    // off, and on again much later
    let path = room.folder.path().join("ledger.db");
    let open = |text: &str, now| {
        kellgrend::mail::Office::open(&super::settings(text), room.ledger.clone(), path.clone(), "clinic-a".into(), now)
            .expect("a mail room")
    };
    assert!(open("", room.now).is_none());
    room.ledger.run_begun(run("second")).expect("begun");
    room.ledger.run_failed("second".into(), "Nobody listened.".into()).expect("failed");
    let later = at("2090-01-01T00:00:00Z");
    let mut office = open(&open_settings(server.port()), later).expect("that is open");
    office.look(&Signs::default(), later).expect("a look");
    assert_eq!(server.taken().len(), 3);
}

#[test]
fn a_machine_that_is_started_anew_each_day_is_idle_all_the_same() {
    let server = Smtp::new(Manners::default());
    let text = format!("{}[mail.alerts]\nidle = \"4days\"\n", open_settings(server.port()));
    let mut room = Room::new(&text, at("2026-11-01T12:00:00Z"));
    let mut told = Vec::new();
    for day in 2..=5 {
        room.now = at(&format!("2026-11-0{day}T12:00:00Z"));
        let path = room.folder.path().join("ledger.db");
        let office = Office::open(&settings(&text), room.ledger.clone(), path, "clinic-a".into(), room.now);
        room.office = office.expect("a mail room").expect("that is open");
        for minutes in [30, 90] {
            room.now += minutes.minutes();
            room.look(&Signs::default());
            told.push(room.count("SELECT count(*) FROM mails WHERE kind = 'idle'"));
        }
    }
    // in its first hour it may still begin
    assert_eq!(told, [0, 0, 0, 0, 0, 0, 0, 1]);
}
