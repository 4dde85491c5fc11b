//! What comes again, is graded again, is tried again: how the reports count it.

use crate::clinic::clinic;
use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, files_below, words};
use kellgrend::digest::Digest;
use rusqlite::Connection;
use rustix::process::Signal;

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn ledger(sandbox: &Sandbox) -> Connection {
    Connection::open(sandbox.state().join("ledger.db")).expect("a ledger")
}

#[test]
fn of_a_knees_grades_the_one_by_the_release_in_service_counts_or_else_the_last() {
    let sandbox = clinic();
    let db = ledger(&sandbox);
    db.execute_batch(
        "INSERT INTO grades (knee, release, start, grade, p0, p1, p2, p3, p4, agreement, entropy, graded_at)
         SELECT knee, (SELECT sha256 FROM releases WHERE name = 'again'), 1, grade, p0, p1, p2, p3, p4, agreement, entropy,
                '2099-01-01T00:00:00.000Z' FROM grades
         WHERE knee % 7 = 0 AND release <> (SELECT sha256 FROM releases WHERE name = 'again');",
    )
    .expect("graded again");
    assert!(number(&db, "SELECT count(*) FROM grades") > number(&db, "SELECT count(*) FROM knees"));
    assert_eq!(number(&db, "SELECT sum(is_last) FROM report_grades"), number(&db, "SELECT count(*) FROM knees"));
    let twice = "SELECT count(*) FROM report_grades g WHERE graded_at >= '2099'";
    let of_new = || number(&db, &format!("{twice} AND is_last"));
    let all = number(&db, twice);
    let serve = |name: &str| {
        let sql = "INSERT INTO service (release, since, who, why) SELECT sha256, '2026-01-01', 'a', 'b' FROM releases WHERE name = ?1";
        db.execute(sql, [name]).expect("in service");
    };
    serve("again");
    assert_eq!(of_new(), all);
    let first = "SELECT name FROM releases r JOIN grades g ON g.release = r.sha256 WHERE name <> 'again' LIMIT 1";
    let first: String = db.query_row(first, [], |row| row.get(0)).expect("a release");
    serve(&first);
    assert!(of_new() < all, "it was only tried, or rolled back");
    db.execute("DELETE FROM service", []).expect("none in service");
    assert_eq!(of_new(), all, "the last");
}

#[test]
fn progression_has_a_film_once_however_often_it_came() {
    let sandbox = clinic();
    let db = ledger(&sandbox);
    let films = "SELECT count(*) FROM report_progression";
    let before = number(&db, films);
    // two films of one knee of one patient, of which one becomes the other in other bytes
    let (patient, side): (String, String) = db
        .query_row("SELECT patient, side FROM report_progression WHERE change IS NOT NULL LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a patient with films");
    let of_knee = format!(
        "SELECT k.radiograph FROM knees k JOIN radiographs r ON r.id = k.radiograph \
                           WHERE r.patient = '{patient}' AND k.side = '{side}' ORDER BY k.id LIMIT 2"
    );
    db.execute(&format!("UPDATE radiographs SET instance_uid = '1.2.3' WHERE id IN ({of_knee})"), []).expect("changed");
    assert!(number(&db, films) < before);
    // of two patients they are two films, whatever their names say
    db.execute(
        "UPDATE radiographs SET patient = 'another' WHERE instance_uid = '1.2.3' AND id = \
                (SELECT max(id) FROM radiographs WHERE instance_uid = '1.2.3')",
        [],
    )
    .expect("changed");
    assert_eq!(number(&db, films), before);
}

/// A disk, or a sender that writes on, may change what is kept; what comes again is the only good copy then.
#[test]
fn a_copy_that_has_rotted_is_no_reason_to_remove_a_good_one() {
    let sandbox = Sandbox::with(QUICK);
    sandbox.grade_quickly();
    let film = small_png(1);
    let (digest, mut rotten) = (Digest::of(&film), film.clone());
    let kept = |digest: Digest| sandbox.state().join(format!("archive/{}/{digest}.png", &digest.to_string()[..2]));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("1.png", &film);
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 1);
    while !kept(digest).exists() {
        assert!(daemon.is_alive());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    *rotten.last_mut().expect("bytes") ^= 1;
    std::fs::write(kept(digest), &rotten).expect("rotten");
    sandbox.drop_in("again.png", &film);
    while std::fs::read(kept(digest)).ok().as_ref() != Some(&film) {
        assert!(daemon.is_alive());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    let all = files_below(&sandbox.state().join("archive"));
    assert!(all.iter().any(|file| std::fs::read(file).is_ok_and(|bytes| bytes == rotten)), "nothing is lost: {all:?}");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 1);
}

/// A file was called by the wrong side, or an earlier version read less of its tags.
#[test]
fn what_a_later_release_is_told_of_the_side_is_what_is_said() {
    let sandbox = Sandbox::with(QUICK);
    sandbox.grade_quickly();
    let [left, right] = ["1-left.png", "1-right.png"].map(|name| sandbox.beside(name));
    std::fs::write(&left, small_png(1)).expect("written");
    std::fs::write(&right, small_png(1)).expect("written");
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/shufflenet_v2_x2_0.safetensors");
    for args in [
        &["models", "import", "--name", "other", "--image-size", "64", "--zoom", "1", weights][..],
        &["grade", left.to_str().expect("UTF-8"), "--no-pictures"],
        &["grade", right.to_str().expect("UTF-8"), "--no-pictures", "--release", "other"],
    ] {
        let output = sandbox.output(args);
        assert!(output.status.success(), "{}", words(&output));
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM report_grades WHERE side = 'right'"), 2);
    // what a reader has said of it stays said of it
    let digest = Digest::of(&small_png(1)).to_string();
    let left_again = left.to_str().expect("UTF-8");
    for args in [
        &["labels", "add", &digest, "--grade", "2", "--reader", "Dr. A"][..],
        &["models", "import", "--name", "third", "--image-size", "64", "--zoom", "1", weights],
        &["grade", left_again, "--no-pictures", "--release", "third"],
    ] {
        let output = sandbox.output(args);
        assert!(output.status.success(), "{}", words(&output));
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM report_grades WHERE side = 'right'"), 3);
}

#[test]
fn an_undated_film_that_is_tried_again_was_filmed_when_it_came_first() {
    let sandbox = clinic();
    let db = ledger(&sandbox);
    let (radiograph, file): (i64, i64) = db
        .query_row(
            "SELECT r.id, f.id FROM radiographs r JOIN files f ON f.radiograph = r.id JOIN knees k ON k.radiograph = r.id \
             WHERE r.patient IS NOT NULL AND k.side <> 'unknown' AND f.state = 'published' LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("a film");
    db.execute("UPDATE radiographs SET study_date = NULL WHERE id = ?1", [radiograph]).expect("changed");
    // it was refused at first: that is on record beside what came of it later
    db.execute("INSERT INTO file_states VALUES (?1, 'quarantined', '2001-02-03T04:05:06.789Z')", [file])
        .expect("changed");
    let first = format!(
        "SELECT count(*) FROM report_progression WHERE filmed_on = '2001-02-03' AND sha256 = \
                         (SELECT sha256 FROM radiographs WHERE id = {radiograph})"
    );
    assert!(number(&db, &first) > 0);
}

/// As in an archive that is graded every night.
#[test]
fn a_file_that_is_refused_every_night_was_refused_when_it_was_first() {
    let sandbox = Sandbox::new();
    let film = sandbox.beside("notes.txt");
    std::fs::write(&film, "no film").expect("written");
    let night = || {
        let output = sandbox.output(&["grade", film.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(1), "{}", words(&output));
        let at = "SELECT at, reason_code FROM report_refused";
        let all = ledger(&sandbox).prepare(at).and_then(|mut query| {
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(String, String)>, _>>()
        });
        all.expect("rows")
    };
    let first = night();
    assert_eq!(first.len(), 1);
    assert_eq!(night(), first);
}
