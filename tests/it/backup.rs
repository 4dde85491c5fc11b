//! Copies of the ledger: sound, whole or not at all, and good for a new start.

use crate::clinic::clinic;
use crate::films::dicom_of;
use crate::sandbox::{Sandbox, files_below, names_in, words};
use kellgrend::digest::Digest;
use kellgrend::grade::KlGrade;
use kellgrend::ledger::{LabelRow, Labelled, Ledger, back_up};
use kellgrend::side::Side;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Labels of films that have not come, all different.
pub fn labels(first: usize, count: usize) -> Vec<LabelRow> {
    let label = |number: usize| LabelRow {
        radiograph: Labelled::Digest(Digest::of(&number.to_le_bytes())),
        side: Side::Left,
        grade: KlGrade::ALL[number % 5],
        reader: "somebody".to_owned(),
        read_at: None,
        settles: false,
    };
    (first..first + count).map(label).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn count(db: &Path, sql: &str) -> i64 {
    Ledger::read(db).expect("a ledger").query_row(sql, [], |row| row.get(0)).expect(sql)
}

#[test]
fn a_copy_made_while_others_write_is_one_moment() {
    let sandbox = clinic();
    let path = sandbox.state().join("ledger.db");
    let copy = sandbox.beside("copy.db");
    let ledger = Ledger::open(&path).expect("a ledger");
    let before = count(&path, "SELECT count(*) FROM labels");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !ended.load(Relaxed) || written == 0 {
                ledger.add_labels(labels(written, 10), "a test".to_owned()).expect("nobody is in the way");
                written += 10;
            }
        });
        for _ in 0..3 {
            let copied = back_up(&path, &copy, true).expect("a copy");
            assert_eq!(copied.bytes, copy.metadata().expect("a file").len());
        }
        ended.store(true, Relaxed);
        writer.join().expect("it has written");
    });
    let (then, now) = (count(&copy, "SELECT count(*) FROM labels"), count(&path, "SELECT count(*) FROM labels"));
    assert!((before..=now).contains(&then) && (then - before) % 10 == 0, "{before}, {then}, {now}");
    assert_eq!(count(&copy, "SELECT count(*) FROM votes"), count(&path, "SELECT count(*) FROM votes"));
    let beside: Vec<_> = names_in(&sandbox.beside("")).into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(beside, [copy, sandbox.beside("kellgrend.toml")], "one file, and nothing half done");
}

#[test]
fn a_copy_restored_into_a_new_folder_goes_on() {
    let old = Sandbox::new();
    let film = old.beside("a.dcm");
    std::fs::write(&film, dicom_of("Doe^Jane", "PID-1", 1)).expect("written");
    assert!(old.output(&["grade", text(&film)]).status.success());
    let copy = old.beside("copy.db");
    let output = old.output(&["backup", text(&copy)]);
    assert!(output.status.success(), "{}", words(&output));
    let said = words(&output);
    assert!(said.contains("rows, checked") && said.contains("To restore it, stop the daemon"), "{said}");

    let new = Sandbox::new();
    std::fs::copy(&copy, new.state().join("ledger.db")).expect("restored");
    let check = new.output(&["check"]);
    assert_eq!(check.status.code(), Some(3), "{}", words(&check));
    assert!(words(&check).contains("is missing, but the ledger holds pseudonyms"), "{}", words(&check));
    std::fs::copy(old.state().join("identity.key"), new.state().join("identity.key")).expect("restored");
    for file in files_below(&old.state().join("models")) {
        let again = new.state().join(file.strip_prefix(old.state()).expect("a part of it"));
        std::fs::create_dir_all(again.parent().expect("a folder")).expect("made");
        std::fs::copy(file, again).expect("restored");
    }
    let check = new.output(&["check"]);
    assert!(check.status.success() && words(&check).contains("is sound and fits this version"), "{}", words(&check));
    let grades = |sandbox: &Sandbox| words(&sandbox.output(&["report", "grades", "--format", "csv"]));
    assert_eq!(grades(&new), grades(&old));
    let again = new.output(&["grade", text(&film), "--json"]);
    assert!(words(&again).contains("\"duplicate\""), "what was graded is not graded again: {}", words(&again));
}

#[test]
fn nothing_is_overwritten_unless_told_and_the_ledger_never() {
    let sandbox = clinic();
    let (path, copy) = (sandbox.state().join("ledger.db"), sandbox.beside("copy.db"));
    std::fs::write(&copy, "a letter").expect("written");
    let refused = sandbox.output(&["backup", text(&copy)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused).contains("--force"), "{}", words(&refused));
    assert_eq!(std::fs::read(&copy).expect("there"), b"a letter");
    assert!(sandbox.output(&["backup", text(&copy), "--force"]).status.success());
    assert_eq!(count(&copy, "SELECT count(*) FROM grades"), count(&path, "SELECT count(*) FROM grades"));

    let link = sandbox.beside("link.db");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    for name in [&path, &link, &sandbox.state().join("ledger.db")] {
        let refused = sandbox.output(&["backup", text(name), "--force"]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(words(&refused).contains("is the ledger itself"), "{}", words(&refused));
    }
    let nowhere = sandbox.output(&["backup", text(&sandbox.beside("nowhere/copy.db"))]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(words(&nowhere).contains("folder must be there"), "{}", words(&nowhere));
}

#[test]
fn an_unsound_copy_is_told_and_removed() {
    let sandbox = clinic();
    let path = sandbox.state().join("ledger.db");
    let db = Connection::open(&path).expect("a ledger");
    db.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM knees WHERE id = (SELECT min(id) FROM knees)")
        .expect("broken");
    let output = sandbox.output(&["backup", text(&sandbox.beside("copy.db"))]);
    assert_eq!(output.status.code(), Some(3));
    assert!(words(&output).contains("refer to rows that are not there"), "{}", words(&output));
    let left: Vec<_> = names_in(&sandbox.beside("")).into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(left, [sandbox.beside("kellgrend.toml")]);
}
