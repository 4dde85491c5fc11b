//! What goes wrong in the field: the list in docs/failure-modes.md, and those of its lines that are tested nowhere else.

use crate::films::{dicom_of, small_png};
use crate::sandbox::{QUICK, Sandbox, files_below, words};
use kellgrend::config::Folders;
use kellgrend::digest::Digest;
use kellgrend::state::{State, UNKNOWN, has_holes};
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";
const QUARANTINED: &str = "SELECT count(*) FROM files WHERE state = 'quarantined'";

/// Every failure has its line, and every test that a line names is there.
#[test]
fn every_failure_has_its_line_and_every_test_it_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("docs/failure-modes.md")).expect("the list");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows: Vec<(usize, &str)> = rows.filter_map(|(number, rest)| Some((number.parse().ok()?, rest))).collect();
    let numbers: Vec<_> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=73).collect::<Vec<_>>());
    let mut tests = BTreeSet::new();
    for path in files_below(&root.join("tests/it")) {
        let module = path.strip_prefix(root.join("tests/it")).expect("below").with_extension("");
        let module = module.to_string_lossy().replace('/', "::");
        let text = std::fs::read_to_string(&path).expect("a source");
        // also those that a macro of proptest declares
        let names =
            text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(').map(|(name, _)| name.trim().to_owned()));
        tests.extend(names.map(|name| format!("{module}::{name}")));
    }
    for (number, rest) in rows {
        let columns: Vec<_> = rest.trim_end_matches('|').split(" | ").collect();
        let [what, happens, shown] = columns[..] else { panic!("{number}: three columns after its number: {rest}") };
        assert!(!what.trim().is_empty() && happens.trim().len() > 10, "{number} says what happens");
        let named: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty() || shown.contains("not tested"), "{number} names a test or says that there is none");
        for test in named {
            assert!(tests.contains(test), "{number}: there is no test {test}");
        }
    }
}

#[test]
fn a_file_half_written_at_start_is_taken_whole_when_it_is() {
    let sandbox = Sandbox::with(&QUICK.replace("600ms", "30s"));
    let whole = dicom_of("Nobody^None", "0", 31);
    std::fs::write(sandbox.inbox().join("half.dcm"), &whole[..whole.len() / 3]).expect("written");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 0, "half a film is no film yet");
    std::fs::write(sandbox.inbox().join("half.dcm"), &whole).expect("written");
    sandbox.until(PUBLISHED, 1);
}

/// A film that is all there, but for a part in its middle that was never written.
fn holed(path: &Path, whole: &[u8]) -> Option<std::fs::File> {
    let file = std::fs::File::create(path).expect("created");
    file.set_len(whole.len() as u64).expect("its whole length");
    file.write_all_at(&whole[..whole.len() / 3], 0).expect("written");
    file.write_all_at(&whole[whole.len() * 2 / 3..], whole.len() as u64 * 2 / 3).expect("written");
    if !has_holes(&std::fs::File::open(path).expect("opened")) {
        eprintln!("skipped: this file system does not tell what was never written");
        return None;
    }
    Some(file)
}

#[test]
fn a_file_with_holes_waits_for_what_was_not_written() {
    let sandbox = Sandbox::with(&QUICK.replace("600ms", "30s"));
    let whole = dicom_of("Nobody^None", "0", 39);
    let Some(file) = holed(&sandbox.inbox().join("long.dcm"), &whole) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 0, "a film with a black band is no film yet");
    file.write_all_at(&whole[whole.len() / 3..], whole.len() as u64 / 3).expect("written");
    sandbox.until(PUBLISHED, 1);
    let sha256 = Digest::of(&whole);
    assert_eq!(sandbox.count(&format!("SELECT count(*) FROM radiographs WHERE sha256 = '{sha256}'")), 1);
}

#[test]
fn a_file_that_keeps_its_holes_is_taken_in_the_end() {
    let sandbox = Sandbox::with(&QUICK.replace("600ms", "2s"));
    let Some(_) = holed(&sandbox.inbox().join("long.dcm"), &dicom_of("Nobody^None", "0", 39)) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 1);
    assert!(sandbox.log().contains("parts of a file were never written"), "{}", sandbox.log());
}

#[test]
fn names_taken_by_others_in_flight_lose_nothing_that_stays() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    // every half second another film takes the one name, some of them while the last one is claimed
    for seed in 0..8 {
        sandbox.drop_in("knee.png", &small_png(400 + seed));
        std::thread::sleep(Duration::from_millis(190 + 40 * u64::from(seed)));
    }
    let last = kellgrend::digest::Digest::of(&small_png(407));
    sandbox.until(&format!("SELECT count(*) FROM files f JOIN radiographs r ON r.id = f.radiograph WHERE sha256 = '{last}' AND state = 'published'"), 1);
    sandbox.until("SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')", 0);
    assert_eq!(files_below(&sandbox.inbox()).len(), 0);
    let checked = sandbox.output(&["check", "--ledger"]);
    assert!(checked.status.success(), "{}", words(&checked));
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), sandbox.count(PUBLISHED));
}

#[test]
fn one_instance_uid_in_two_files_is_two_films() {
    let sandbox = Sandbox::new();
    // the same study, series and instance; other bytes, since the name was corrected
    for (name, patient) in [("a.dcm", "Nobody^None"), ("b.dcm", "Nobody^Corrected")] {
        sandbox.drop_in(name, &dicom_of(patient, "0", 32));
    }
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 2);
    assert_eq!(sandbox.count("SELECT count(DISTINCT instance_uid) FROM radiographs"), 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 2);
}

#[test]
fn a_file_that_is_touched_while_it_waits_is_graded_once() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let path = sandbox.inbox().join("touched.png");
    std::fs::write(&path, small_png(33)).expect("written");
    let file = std::fs::File::options().write(true).open(&path).expect("open");
    for _ in 0..15 {
        file.set_modified(SystemTime::now()).expect("touched");
        std::thread::sleep(Duration::from_millis(80));
    }
    sandbox.until(PUBLISHED, 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 1);
}

#[test]
fn a_file_deleted_before_it_settled_was_never_there() {
    let sandbox = Sandbox::with(&QUICK.replace("200ms", "1s"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let path = sandbox.inbox().join("gone.png");
    std::fs::write(&path, small_png(34)).expect("written");
    std::thread::sleep(Duration::from_millis(400));
    std::fs::remove_file(path).expect("removed");
    sandbox.drop_in("stays.png", &small_png(35));
    sandbox.until(PUBLISHED, 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 1);
    assert!(daemon.is_alive());
}

#[test]
fn an_empty_file_is_refused_with_its_reason() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::fs::write(sandbox.inbox().join("empty.dcm"), "").expect("written");
    sandbox.until(QUARANTINED, 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE reason_code = 'empty'"), 1);
}

/// Some senders make the name first, and the first byte later.
#[test]
fn a_file_that_is_empty_at_first_is_taken_whole_when_it_is() {
    let sandbox = Sandbox::with(&QUICK.replace("600ms", "30s"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let path = sandbox.inbox().join("late.png");
    std::fs::write(&path, "").expect("made");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 0, "nothing is no film yet");
    std::fs::write(&path, small_png(37)).expect("written");
    sandbox.until(PUBLISHED, 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 1);
}

/// As from senders that write on after the claim: each time other bytes, under the name of those that were claimed.
#[test]
fn what_is_kept_is_replaced_by_no_other_bytes() {
    let sandbox = Sandbox::new();
    let state = State::new(&sandbox.state(), &Folders::default()).expect("folders");
    state.create().expect("made");
    let claimed = Digest::of(b"");
    for bytes in ["one", "one", "two", ""] {
        std::fs::write(state.in_work(&claimed), bytes).expect("written");
        state.put_into_quarantine(&claimed, UNKNOWN, "empty: it is").expect("kept");
    }
    let kept = |bytes: &str| std::fs::read_to_string(state.in_quarantine(&Digest::of(bytes.as_bytes()), UNKNOWN));
    for bytes in ["one", "two", ""] {
        assert_eq!(kept(bytes).expect("kept"), bytes, "each under its own name");
    }
    assert_eq!(files_below(&state.quarantine).len(), 4, "and one reason");
    // where it has the name to itself, it keeps that of what was claimed
    std::fs::write(state.in_work(&claimed), "three").expect("written");
    state.put_into_archive(&claimed, UNKNOWN).expect("kept");
    assert!(state.archived(&claimed).is_ok_and(|path| path.is_some()));
}

/// A film that was published and is still to leave work; the same bytes were named on the command line since, and came to nothing,
/// were broken off, or were graded.
#[test]
fn a_film_in_work_is_the_inboxs_whatever_was_asked_of_the_same_bytes_by_hand() {
    let sandbox = Sandbox::new();
    sandbox.drop_in("a.png", &small_png(38));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 1);
    daemon.stop(rustix::process::Signal::TERM);
    let film = Digest::of(&small_png(38));
    let state = State::new(&sandbox.state(), &Folders::default()).expect("folders");
    for by_hand in ["withdrawn", "claimed", "published"] {
        let archived = state.archived(&film).expect("an archive").expect("the film");
        std::fs::rename(archived, state.in_work(&film)).expect("moved");
        let db = rusqlite::Connection::open(&state.ledger).expect("a ledger");
        let row = "INSERT INTO files (radiograph, start, origin, side_by_name, state, release, reason_code, reason) \
                   SELECT radiograph, start, 'command line', side_by_name, ?1, iif(?1 = 'published', release, NULL), \
                   'interrupted', 'it was broken off' FROM files WHERE origin = 'inbox' AND state = 'published'";
        db.execute(row, [by_hand]).expect("a row");
        let times = "INSERT INTO file_states SELECT max(id), ?1, '2026-01-01T00:00:00.000Z' FROM files";
        db.execute(times, [by_hand]).expect("its time");
        if by_hand == "published" {
            // what the inbox said of it is gone: the film is the copy that is kept
            let lost =
                "UPDATE files SET state = 'withdrawn', reason_code = 'lost', reason = 'lost' WHERE origin = 'inbox'";
            db.execute(lost, []).expect("withdrawn");
            let times = "INSERT INTO file_states SELECT id, state, '2026-01-01T00:00:00.000Z' FROM files WHERE origin = 'inbox'";
            db.execute(times, []).expect("its time");
        }
        drop(db);
        let mut daemon = sandbox.daemon();
        daemon.ready();
        daemon.stop(rustix::process::Signal::TERM);
        assert!(!state.in_work(&film).exists() && files_below(&state.archive).len() == 1, "{by_hand}");
        assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')"), 0, "{by_hand}");
        assert_eq!(sandbox.count(PUBLISHED), 1, "{by_hand}");
        let checked = sandbox.output(&["check", "--ledger", "--strict"]);
        assert!(checked.status.success(), "{by_hand}: {}", words(&checked));
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE state = 'duplicate'"), 1, "the last one");
}

#[test]
fn a_hundred_thousand_files_at_the_start_are_taken_the_oldest_first_and_a_new_film_before_them() {
    const FILES: usize = 100_000;
    // what nothing takes, and what the same film takes where nothing else is
    let alone = Sandbox::new();
    let mut empty = alone.daemon();
    empty.ready();
    let of_nothing = empty.memory_kib("VmHWM");
    alone.drop_in("new.png", &small_png(1));
    alone.until(PUBLISHED, 1);
    let usual = empty.memory_kib("VmHWM");
    empty.stop(rustix::process::Signal::TERM);
    let sandbox = Sandbox::new();
    // no films, so that a test may have so many; the oldest has the last name
    let archive = |age: usize| format!("number {age}").into_bytes();
    for age in 0..FILES {
        let path = sandbox.inbox().join(format!("{:06}.dcm", FILES - age));
        std::fs::write(&path, archive(age)).expect("written");
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(age as u64);
        std::fs::File::options().write(true).open(path).and_then(|file| file.set_modified(written)).expect("dated");
    }
    let mut daemon = sandbox.daemon_with(&[("KELLGREND_LOG", "error")]);
    sandbox.until_at_least("SELECT count(*) FROM files", 50);
    std::thread::sleep(Duration::from_secs(6));
    let of_names = daemon.memory_kib("VmHWM");
    assert!(of_names < of_nothing + (100 << 10), "{of_names} KiB, {of_nothing} KiB without them");
    sandbox.drop_in("new.png", &small_png(1));
    sandbox.until_within(PUBLISHED, 1, Duration::from_secs(180));
    let taken = sandbox.count("SELECT count(*) FROM files");
    let peak = daemon.memory_kib("VmHWM");
    daemon.kill();
    println!(
        "the new film was graded before {} of {FILES}; memory peaked at {peak} KiB, {usual} without them",
        FILES as i64 - taken
    );
    assert!(taken < FILES as i64 / 2, "the new film had to wait for {taken}");
    // a kibibyte a name, and what memory is asked for ahead
    assert!(peak < usual + (100 << 10) + (64 << 10), "{peak} KiB, {usual} KiB without them");
    let ledger = sandbox.ledger();
    let mut claims = ledger.prepare("SELECT sha256 FROM radiographs ORDER BY id LIMIT 50").expect("sql");
    let claims = claims.query_map([], |row| row.get::<_, String>(0)).expect("rows").map(Result::unwrap);
    let oldest = (0..50).map(|age| Digest::of(&archive(age)).to_string());
    assert!(claims.eq(oldest), "not the oldest first");
}

#[test]
fn a_burst_of_files_is_taken_to_the_last() {
    const FILES: usize = 5000;
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for number in 0..FILES {
        std::fs::write(sandbox.inbox().join(format!("{number}.txt")), format!("no film, number {number}"))
            .expect("written");
    }
    for seed in 0..30 {
        sandbox.drop_in(&format!("{seed}.png"), &small_png(500 + seed));
    }
    sandbox.until_within(QUARANTINED, FILES as i64, Duration::from_secs(240));
    sandbox.until_within(PUBLISHED, 30, Duration::from_secs(240));
    assert!(daemon.is_alive());
}

#[test]
fn a_ledger_whose_outbox_somebody_emptied_says_so_and_is_sound() {
    let sandbox = Sandbox::new();
    sandbox.drop_in("a.png", &small_png(36));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 1);
    daemon.stop(rustix::process::Signal::TERM);
    let check = || {
        let output = sandbox.output(&["check", "--ledger"]);
        (output.status.success(), words(&output))
    };
    let (sound, said) = check();
    assert!(sound && said.contains("Ledger and folders agree") && !said.contains("gone"), "{said}");
    // a picture that is not what was published is torn; a result that is not there was removed
    let result = &sandbox.results()[0];
    let picture = files_below(result).into_iter().find(|path| path.extension().is_some_and(|png| png == "png"));
    std::fs::write(picture.expect("a picture"), "torn").expect("written");
    let (sound, said) = check();
    assert!(!sound && said.contains("is not what was published"), "{said}");
    std::fs::remove_dir_all(result).expect("removed");
    let (sound, said) = check();
    assert!(sound && said.contains("1 that somebody has removed, or that are lost"), "{said}");
    std::fs::create_dir(sandbox.state().join("outbox/stranger")).expect("made");
    let (sound, said) = check();
    assert!(!sound && said.contains("the ledger knows of no such result"), "{said}");
    std::fs::remove_dir(sandbox.state().join("outbox/stranger")).expect("removed");
    // an original that nobody knows, and one that is refused and does not say why
    let (known, unknown) = (files_below(&sandbox.state().join("archive")).remove(0), "ab".repeat(32));
    let stranger = sandbox.state().join("archive/ab").join(format!("{unknown}.png"));
    std::fs::create_dir_all(stranger.parent().expect("a folder")).expect("made");
    std::fs::write(&stranger, "a film of a later time").expect("written");
    std::fs::write(sandbox.state().join("archive/README"), "somebody else's").expect("written");
    let (sound, said) = check();
    assert!(!sound && said.contains(&unknown) && said.contains("put it into the inbox"), "{said}");
    std::fs::remove_file(&stranger).expect("removed");
    let silent = sandbox.state().join("quarantine").join(known.file_name().expect("a name"));
    std::fs::copy(&known, &silent).expect("copied");
    let (sound, said) = check();
    assert!(!sound && said.contains("no reason lies beside it") && !said.contains("README"), "{said}");
    std::fs::remove_file(&silent).expect("removed");
    // an original that has decayed is seen where it is read
    let kept = std::fs::read(&known).expect("read");
    std::fs::write(&known, kept.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()).expect("written");
    let read_back = || words(&sandbox.output(&["check", "--ledger", "--originals"]));
    assert!(check().0 && read_back().contains("1 wrong with 1 originals"), "{}", read_back());
    std::fs::write(&known, kept).expect("written");
    assert!(read_back().contains("1 read back, all as they came"), "{}", read_back());
    // where nobody removes anything, what is gone is lost
    assert!(check().0);
    let strict = sandbox.output(&["check", "--ledger", "--strict"]);
    assert_eq!(strict.status.code(), Some(3), "{}", words(&strict));
    // a film that was claimed waits in the inbox or in work, or is lost
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute("UPDATE files SET state = 'claimed', release = NULL", []).expect("sql");
    let moment = "INSERT OR IGNORE INTO file_states SELECT id, 'claimed', '2026-01-01T00:00:00.000Z' FROM files";
    db.execute(moment, []).expect("sql");
    let lost = || {
        words(&sandbox.output(&["check", "--ledger", "--strict"])).contains("the original of a file that is claimed")
    };
    assert!(lost());
    std::fs::copy(&known, sandbox.inbox().join("a.png")).expect("copied");
    assert!(!lost());
    // a row that breaks a law is named by it
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute("DELETE FROM votes", []).expect("sql");
    let (sound, said) = check();
    assert!(!sound && said.contains("not so: a grade has votes"), "{said}");
}
