//! The ledger as its users see it: the public views, strictness, pragmas.

use crate::films::small_png;
use crate::sandbox::Sandbox;
use kellgrend::grade::Probabilities;
use kellgrend::ledger::{Ledger, MailContent, MailRow, REPORTS, ReleaseRow};
use refinery::Target;
use rusqlite::Connection;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

mod migrations {
    refinery::embed_migrations!("migrations");
}

fn graded() -> Sandbox {
    let sandbox = Sandbox::new();
    let file = sandbox.beside("a.png");
    std::fs::write(&file, small_png(1)).expect("written");
    let output = sandbox.output(&["grade", file.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{output:?}");
    sandbox
}

#[test]
fn every_column_of_every_report_has_a_comment_and_every_table_is_strict() {
    let sandbox = graded();
    let db = sandbox.ledger();
    let mut views =
        db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name LIKE 'report_%'").expect("sql");
    let views: Vec<(String, String)> = views
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    assert_eq!(views.len(), REPORTS.len() + 1, "and the one for exports");
    for (name, sql) in views {
        // The outer SELECT begins in the first column; its columns end with a comment, on their last line.
        let outer = sql.split("\nSELECT\n").last().expect("an outer SELECT");
        let columns = outer.split("\nFROM").next().expect("its columns");
        let mut depth = 0_i32;
        for line in columns.lines().filter(|line| !line.trim().is_empty()) {
            let code = line.split("--").next().expect("a first part");
            depth += code.matches('(').count() as i32 - code.matches(')').count() as i32;
            // A column may take two lines; then the comment stands on the second.
            let ends_a_column = depth == 0 && code.trim_end().ends_with(',');
            assert!(!ends_a_column || line.contains("-- "), "{name}: no comment on {line}");
        }
        assert!(columns.trim_end().lines().last().is_some_and(|line| line.contains("-- ")), "{name}: the last column");
    }
    let loose: i64 = db
        .query_row("SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'refinery_%'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(loose, 0);
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("a mode");
    assert_eq!(mode, "wal");
}

#[test]
fn the_sqlite3_shell_answers_the_documented_questions() {
    let sandbox = graded();
    let ledger = sandbox.state().join("ledger.db");
    for query in [
        "SELECT side, grade, round(max(p0, p1, p2, p3, p4), 2) AS certainty, picture FROM report_grades",
        "SELECT reason_code, count(*) FROM report_refused GROUP BY reason_code",
        "SELECT member, avg(grade = ensemble_grade) AS agrees FROM report_votes GROUP BY member",
        "SELECT day, published, knees FROM report_daily",
        "SELECT name, in_service, knees FROM report_releases",
        "SELECT reader, count(*) FROM report_labels WHERE stands GROUP BY reader",
        "SELECT sha256, said FROM report_label_conflicts",
        "SELECT lacks, count(*) FROM report_label_gaps GROUP BY lacks",
        "SELECT month, release, accuracy, quadratic_kappa FROM report_agreement",
    ] {
        sandbox.ledger().prepare(query).expect(query).query([]).expect(query).next().expect(query);
        match std::process::Command::new("sqlite3").arg("-readonly").arg(&ledger).arg(query).output() {
            Ok(output) => assert!(output.status.success(), "{query}: {output:?}"),
            Err(_) => eprintln!("skipped: the sqlite3 shell is not installed"),
        }
    }
}

#[test]
fn every_state_of_a_file_has_its_time_in_order() {
    let sandbox = graded();
    let db = sandbox.ledger();
    let mut states = db.prepare("SELECT state, at FROM file_states ORDER BY at, instr('seen settled claimed decoded graded published', state)").expect("sql");
    let rows: Vec<(String, String)> = states
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    let names: Vec<_> = rows.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(names, ["seen", "settled", "claimed", "decoded", "graded", "published"]);
    assert!(rows.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{rows:?}");
}

/// A ledger of the first version: its grades get their entropy, and nobody was missing.
#[test]
fn grades_from_before_entropy_was_stored_have_it_afterwards() {
    let sandbox = Sandbox::new();
    let mut db = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    migrations::migrations::runner().set_target(Target::Version(2)).run(&mut db).expect("the first version's schema");
    db.execute_batch(
        "INSERT INTO starts VALUES (1, '0.1.0', 'run', 'CPU', '', '', '2026-01-02T03:04:05.000Z');
         INSERT INTO releases VALUES ('r', 'old', 'mix', 1, '', '2026-01-02T03:04:05.000Z');
         INSERT INTO radiographs (id, sha256, bytes) VALUES (1, 'x', 1);
         INSERT INTO knees VALUES (1, 1, 0, 'left');
         INSERT INTO grades VALUES (1, 1, 'r', 1, 3, 0.0625, 0.125, 0.125, 0.5, 0.1875, 1, '2026-01-02T03:04:06.000Z');",
    )
    .expect("rows of the first version");
    drop(db);
    let status = sandbox.output(&["status"]);
    assert!(status.status.success(), "a ledger not migrated yet can be read: {status:?}");
    let film = sandbox.beside("a.png");
    std::fs::write(&film, small_png(1)).expect("written");
    let output = sandbox.output(&["grade", film.to_str().expect("UTF-8"), "--no-pictures"]);
    assert!(output.status.success(), "{output:?}");
    let old = "SELECT entropy, missing FROM report_grades WHERE release = 'old'";
    let (entropy, missing): (f64, Option<String>) =
        sandbox.ledger().query_row(old, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("the old grade");
    let expected = f64::from(Probabilities([0.0625, 0.125, 0.125, 0.5, 0.1875]).entropy());
    assert!((entropy - expected).abs() < 1e-4 && missing.is_none(), "{entropy}, not {expected}; {missing:?}");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades WHERE entropy IS NULL"), 0);
}

/// A ledger from before some tables were their own index: every row is there afterwards, and votes in their release's order.
#[test]
fn votes_states_and_pictures_of_an_older_ledger_are_kept() {
    let sandbox = Sandbox::new();
    let path = sandbox.state().join("ledger.db");
    let mut db = Connection::open(&path).expect("a ledger");
    // the program's own function, which an earlier migration uses; nothing is graded yet
    let nothing = |_: &rusqlite::functions::Context<'_>| Ok(0.0);
    db.create_scalar_function("entropy", 5, rusqlite::functions::FunctionFlags::SQLITE_UTF8, nothing)
        .expect("a function");
    migrations::migrations::runner().set_target(Target::Version(5)).run(&mut db).expect("an older schema");
    let rows = "INSERT INTO starts VALUES (1, '0.1.0', 'run', 'CPU', '', '', '2026-01-02T03:04:05.000Z', NULL);
         INSERT INTO releases VALUES ('r', 'old', 'mix', 2, '', '2026-01-02T03:04:05.000Z');
         INSERT INTO radiographs (id, sha256, bytes) VALUES (1, 'x', 1);
         INSERT INTO files VALUES (1, 1, 1, 'inbox', NULL, 'left', 'published', 'r', NULL, NULL);
         INSERT INTO file_states VALUES (1, 'seen', '2026-01-02T03:04:05.000Z'), (1, 'published', '2026-01-02T03:04:09.000Z');
         INSERT INTO knees VALUES (1, 1, 0, 'left');
         INSERT INTO grades (id, knee, release, start, grade, p0, p1, p2, p3, p4, agreement, graded_at)
         VALUES (1, 1, 'r', 1, 3, 0.1, 0.1, 0.1, 0.6, 0.1, 1, '2026-01-02T03:04:06.000Z');
         INSERT INTO votes VALUES (1, 'z', 3, 0.1, 0.1, 0.1, 0.6, 0.1), (1, 'a', 2, 0.1, 0.1, 0.6, 0.1, 0.1);
         INSERT INTO pictures VALUES (1, 'overlay', 'o.png', 'ABCD', 2), (1, 'map', 'm.png', 'ABCD', 3);";
    db.execute_batch(&rows.replace("ABCD", &"0f".repeat(32))).expect("rows of an older version");
    drop(db);
    drop(Ledger::open(&path).expect("brought up to date"));
    let db = sandbox.ledger();
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
    let votes = "SELECT group_concat(said) FROM (SELECT member || grade || p3 AS said FROM votes ORDER BY position)";
    assert_eq!(one(votes), "z30.6,a20.1");
    assert_eq!(
        one("SELECT group_concat(state || at) FROM file_states"),
        "published2026-01-02T03:04:09.000Z,seen2026-01-02T03:04:05.000Z"
    );
    assert_eq!(one("SELECT group_concat(kind || path || bytes) FROM pictures"), "mapm.png3,overlayo.png2");
    assert_eq!(one("SELECT DISTINCT lower(hex(sha256)) FROM pictures"), "0f".repeat(32));
    assert_eq!(sandbox.count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/// Each letter is promoted, each `-` goes back; at the end there is who is in service.
#[test]
fn going_back_goes_back_through_what_was_in_service() {
    for (steps, wanted) in
        [("AB-", "A"), ("ABC--", "A"), ("ABC-D-", "B"), ("ABC--D-", "A"), ("ABB-", "A"), ("ABC-B-", "A")]
    {
        let sandbox = Sandbox::new();
        let ledger = Ledger::open(&sandbox.state().join("ledger.db")).expect("a ledger");
        for step in steps.chars() {
            if step == '-' {
                let (row, _) = ledger.before_service().expect("asked").expect("there was one before");
                ledger.roll_back(row, "somebody".into(), "it was worse".into()).expect("gone back");
                continue;
            }
            let release = ReleaseRow {
                sha256: step.to_string(),
                name: step.to_string(),
                vote: "mix".into(),
                members: 1,
                manifest: String::new(),
            };
            ledger.put_in_service(release, "somebody".into(), "a trial".into()).expect("promoted");
        }
        let found = ledger.in_service().expect("asked").expect("somebody is").name;
        assert_eq!(found, wanted, "{steps}");
    }
    let sandbox = Sandbox::new();
    let ledger = Ledger::open(&sandbox.state().join("ledger.db")).expect("a ledger");
    assert!(ledger.before_service().expect("asked").is_none());
}

/// A mail is a row of any size.
fn write_rows_of_100_kb(ledger: &Ledger, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let content = MailContent {
            message_id: number.to_string(),
            subject: String::new(),
            text: "x".repeat(100_000),
            html: None,
            pictures: Vec::new(),
        };
        let mail = MailRow { kind: "disk", key: number.to_string(), content };
        ledger.mails_written(vec![mail], Vec::new(), jiff::Timestamp::now()).expect("written");
    }
}

#[test]
fn the_wal_stays_short_though_there_is_always_a_reader_and_becomes_short_when_one_goes_who_stayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).expect("a ledger");
    let wal = || std::fs::metadata(folder.path().join("ledger.db-wal")).expect("a WAL").len() >> 20;
    let begin = |db: &Connection| {
        db.execute_batch("BEGIN").expect("a moment");
        db.query_row("SELECT count(*) FROM mails", [], |row| row.get::<_, i64>(0)).expect("a number")
    };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let readers = [(); 2].map(|()| Ledger::read(&path).expect("a reader"));
            begin(&readers[1]);
            for turn in (0..2).cycle() {
                begin(&readers[turn]);
                readers[1 - turn].execute_batch("COMMIT").expect("an end");
                std::thread::sleep(std::time::Duration::from_millis(5));
                if is_over.load(SeqCst) {
                    return;
                }
            }
        });
        write_rows_of_100_kb(&ledger, 0..600);
        is_over.store(true, SeqCst);
    });
    assert!(wal() < 40, "60 MB were written, and the WAL has {} MiB", wal());

    let reader = Ledger::read(&path).expect("a reader");
    assert_eq!(begin(&reader), 600);
    write_rows_of_100_kb(&ledger, 600..900);
    assert!(wal() > 20, "a moment that is read is kept");
    drop(reader);
    write_rows_of_100_kb(&ledger, 900..902);
    assert!(wal() <= 16, "{} MiB", wal());
}
