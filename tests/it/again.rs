//! What comes again, is graded again, is tried again: how the reports count it.

use crate::clinic::clinic;
use crate::sandbox::{Sandbox, words};
use rusqlite::Connection;

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn ledger(sandbox: &Sandbox) -> Connection {
    Connection::open(sandbox.state().join("ledger.db")).expect("a ledger")
}

#[test]
fn of_a_knees_grades_the_last_is_marked() {
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
    let later = "SELECT count(*) FROM report_grades last JOIN report_grades other USING (sha256, side) \
                 WHERE last.is_last AND other.graded_at > last.graded_at";
    assert_eq!(number(&db, later), 0);
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
