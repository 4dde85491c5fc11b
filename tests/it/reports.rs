//! The reports: the guide to them, their figures against plain counting, how they are read and written out.

use crate::backup::labels;
use crate::clinic::clinic;
use crate::sandbox::{Sandbox, words};
use kellgrend::digest::Digest;
use kellgrend::ledger::{Ledger, REPORTS};
use parquet::basic::{LogicalType, Type as Physical};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::ColumnDescriptor;
use rusqlite::{Connection, types::ValueRef};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const GUIDE: &str = include_str!("../../docs/sql.md");

/// The queries of the guide.
fn queries() -> Vec<&'static str> {
    GUIDE.split("```sql\n").skip(1).map(|rest| rest.split("```").next().expect("its end")).collect()
}

#[test]
fn every_query_of_the_guide_answers() {
    let sandbox = clinic();
    let queries = queries();
    assert_eq!(queries.len(), 20);
    let db = sandbox.ledger();
    for query in queries {
        let mut asked = db.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let mut rows = asked.query([]).expect(query);
        assert!(rows.next().expect(query).is_some(), "no row: {query}");
        let ledger = sandbox.state().join("ledger.db");
        match std::process::Command::new("sqlite3").arg("-readonly").arg(ledger).arg(query).output() {
            Ok(output) => assert!(output.status.success() && !output.stdout.is_empty(), "{query}: {output:?}"),
            Err(_) => eprintln!("skipped: the sqlite3 shell is not installed"),
        }
    }
}

/// What the guide says of a column: its type, and its meaning.
type Told = (&'static str, &'static str);

/// The columns of each view as the guide tells them, in order.
fn told() -> BTreeMap<&'static str, Vec<(&'static str, Told)>> {
    let sections = GUIDE.split("\n### ").skip(1);
    let section = |section: &'static str| {
        let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
        let row = |line: &'static str| {
            let cells: Vec<_> = line.trim_matches('|').splitn(3, '|').map(str::trim).collect();
            (cells[0], (cells[1], cells[2]))
        };
        (section.lines().next().expect("a name"), rows.map(row).collect())
    };
    sections.map(section).collect()
}

#[test]
fn the_guide_tells_every_column_of_every_view_and_no_other() {
    let sandbox = clinic();
    let db = sandbox.ledger();
    let columns = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
                   WHERE m.type = 'view' AND m.name LIKE 'report\\_%' ESCAPE '\\' ORDER BY m.name, c.cid";
    let mut views: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut query = db.prepare(columns).expect("sql");
    let mut rows = query.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        views.entry(row.get(0).expect("a name")).or_default().push(row.get(1).expect("a name"));
    }
    let told = told();
    let names = |columns: &Vec<(&str, Told)>| columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let guide: BTreeMap<String, Vec<String>> =
        told.iter().map(|(view, columns)| ((*view).to_owned(), names(columns))).collect();
    assert_eq!(guide, views, "left: docs/sql.md, right: the views");

    // and what it says of types and nulls is what is found
    for (view, columns) in told {
        let mut query = db.prepare(&format!("SELECT * FROM {view}")).expect("sql");
        let (mut rows, mut any) = (query.query([]).expect("rows"), false);
        while let Some(row) = rows.next().expect("a row") {
            any = true;
            for (i, (name, (kind, meaning))) in columns.iter().enumerate() {
                let found = match row.get_ref(i).expect("a value") {
                    ValueRef::Null => {
                        assert!(meaning.contains("null: "), "{view}.{name} is null, and the guide does not say when");
                        continue;
                    }
                    ValueRef::Integer(_) => "integer",
                    ValueRef::Real(_) => "real",
                    _ => "text",
                };
                assert_eq!(found, *kind, "{view}.{name}");
            }
        }
        assert!(any, "{view} is empty, so that nothing of it is tested");
    }
}

/// A month is found by an index; only what is small, or has been found already, is gone through.
#[test]
fn a_month_is_searched_and_not_scanned() {
    const SMALL: [&str; 6] = ["days", "weeks", "quiet", "unfinished", "s", "CONSTANT"];
    let sandbox = clinic();
    let db = sandbox.ledger();
    for name in ["grades", "votes", "daily", "weeks", "times", "refused", "review", "progression"] {
        let time = REPORTS.iter().find(|report| report.name == name).expect("a report").time;
        let month = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM report_{name} WHERE {time} >= '2026-09-01' AND {time} < '2026-10-01'"
        );
        let mut plan = db.prepare(&month).expect("sql");
        let steps: Vec<String> =
            plan.query_map([], |row| row.get("detail")).expect("rows").map(|step| step.expect("a step")).collect();
        for step in &steps {
            let scanned = step.strip_prefix("SCAN ").and_then(|of| of.split(' ').next());
            let is_small = |of: &str| SMALL.contains(&of) || of.starts_with("report_");
            assert!(scanned.is_none_or(is_small), "report_{name}: {step} in {steps:#?}");
        }
    }
}

#[test]
fn days_and_weeks_count_what_is_there() {
    let sandbox = clinic();
    let db = sandbox.ledger();
    // a release that refused all of a week, and a day with nothing but what is in work
    let writer = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    writer
        .execute_batch(
            // graded in one week, published in the next
            "INSERT INTO radiographs (id, sha256, bytes) VALUES (9999990, 'w', 1);
             INSERT INTO files SELECT 9999990, 9999990, 1, 'inbox', NULL, 'left', 'published', release, NULL, NULL, 0, NULL
                 FROM files WHERE release IS NOT NULL LIMIT 1;
             INSERT INTO file_states VALUES (9999990, 'seen', '2001-01-14T23:59:50.000Z');
             INSERT INTO file_states VALUES (9999990, 'claimed', '2001-01-14T23:59:51.000Z');
             INSERT INTO file_states VALUES (9999990, 'graded', '2001-01-14T23:59:59.000Z');
             INSERT INTO file_states VALUES (9999990, 'published', '2001-01-15T00:00:00.100Z');
             INSERT INTO radiographs (id, sha256, bytes) VALUES (9999991, 'x', 1);
             INSERT INTO files VALUES (9999991, 9999991, 1, 'inbox', NULL, 'left', 'quarantined', NULL, 'blank', 'it is blank', 0, NULL);
             INSERT INTO file_states VALUES (9999991, 'quarantined', '2001-01-01T01:01:01.000Z');
             INSERT INTO files VALUES (9999992, 9999991, 1, 'inbox', NULL, 'left', 'graded', NULL, NULL, NULL, 0, NULL);
             INSERT INTO file_states VALUES (9999992, 'graded', '2002-01-01T01:01:01.000Z');",
        )
        .expect("written");
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
    assert_eq!(
        one("SELECT week || ' ' || refused || ' ' || knees FROM report_weeks WHERE release IS NULL"),
        "2001-W01 1 0"
    );
    assert_eq!(
        one("SELECT day || ' ' || in_work FROM report_daily WHERE day < '2003' AND in_work > 0"),
        "2002-01-01 1"
    );
    for (ours, plain) in [
        ("SELECT sum(knees) FROM report_daily", "SELECT count(*) FROM grades"),
        ("SELECT sum(knees) FROM report_weeks", "SELECT count(*) FROM grades"),
        ("SELECT sum(published) FROM report_daily", "SELECT count(*) FROM files WHERE state = 'published'"),
        ("SELECT sum(published) FROM report_weeks", "SELECT count(*) FROM files WHERE state = 'published'"),
        ("SELECT sum(duplicates) FROM report_daily", "SELECT count(*) FROM files WHERE state = 'duplicate'"),
        ("SELECT sum(quarantined) FROM report_daily", "SELECT count(*) FROM files WHERE state = 'quarantined'"),
        ("SELECT sum(refused) FROM report_weeks", "SELECT count(*) FROM files WHERE state = 'quarantined'"),
        ("SELECT sum(in_work) FROM report_daily", "SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')"),
        (
            "SELECT sum(kl0 + 10 * kl1 + 100 * kl2 + 1000 * kl3 + 10000 * kl4) FROM report_weeks",
            "SELECT sum(CASE grade WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100 WHEN 3 THEN 1000 ELSE 10000 END) FROM grades",
        ),
        ("SELECT sum(needs_review) FROM report_weeks", "SELECT sum(needs_review) FROM grades"),
        ("SELECT count(*) FROM report_times", "SELECT count(*) FROM files WHERE state = 'published'"),
    ] {
        assert_eq!(sandbox.count(ours), sandbox.count(plain), "{ours}");
    }
    let mut weeks = db.prepare("SELECT week, monday FROM report_weeks").expect("sql");
    let mut rows = weeks.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let (week, monday): (String, String) = (row.get(0).expect("a week"), row.get(1).expect("a day"));
        let iso = monday.parse::<jiff::civil::Date>().expect("a date").iso_week_date();
        assert_eq!(week, format!("{}-W{:02}", iso.year(), iso.week()));
        assert_eq!(iso.weekday(), jiff::civil::Weekday::Monday);
    }
}

/// When a knee was filmed, its id, its grade.
type Film = (String, i64, i64);
/// Patient, side, day, grade, change, change since the first film.
type Progress = (String, String, String, i64, Option<i64>, Option<i64>);

#[test]
fn progression_compares_each_film_with_those_before_it() {
    let sandbox = clinic();
    let db = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    // some files do not say when they were filmed, and some knees were graded again
    db.execute_batch(
        "UPDATE radiographs SET study_date = NULL WHERE id % 5 = 0;
         INSERT INTO grades (knee, release, start, grade, p0, p1, p2, p3, p4, agreement, entropy, graded_at)
         SELECT knee, (SELECT sha256 FROM releases WHERE name = 'again'), 1, 4 - grade, p4, p3, p2, p1, p0, agreement, entropy,
                '2099-01-01T00:00:00.000Z' FROM grades WHERE knee % 7 = 0 AND release <> (SELECT sha256 FROM releases WHERE name = 'again');
         INSERT INTO service (release, since, who, why) SELECT sha256, '2026-01-01', 'a', 'b' FROM releases WHERE name = 'again';",
    )
    .expect("changed");
    // what it should say, by hand: the films of each knee of each patient in order
    let mut films: HashMap<(String, String), Vec<Film>> = HashMap::new();
    let mut query = db
        .prepare(
            "SELECT r.patient, k.side, coalesce(r.study_date, (SELECT min(substr(at, 1, 10)) FROM file_states \
             WHERE state = 'claimed' AND file IN (SELECT id FROM files WHERE radiograph = r.id))), k.id, g.grade, max(g.graded_at) \
             FROM knees k JOIN radiographs r ON r.id = k.radiograph JOIN grades g ON g.knee = k.id GROUP BY k.id",
        )
        .expect("sql");
    let mut rows = query.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let of = (row.get(0).expect("a patient"), row.get(1).expect("a side"));
        films.entry(of).or_default().push((
            row.get(2).expect("a day"),
            row.get(3).expect("an id"),
            row.get(4).expect("a grade"),
        ));
    }
    let mut wanted = Vec::new();
    for ((patient, side), mut films) in films {
        films.sort();
        for (i, (day, _, grade)) in films.iter().enumerate() {
            let since = |earlier: Option<&Film>| earlier.map(|(_, _, then)| grade - then);
            let before = since(i.checked_sub(1).and_then(|i| films.get(i)));
            let first = since(films.first().filter(|_| i > 0));
            wanted.push((patient.clone(), side.clone(), day.clone(), *grade, before, first));
        }
    }
    let mut query = db
        .prepare("SELECT patient, side, filmed_on, grade, change, change_since_first FROM report_progression")
        .expect("sql");
    let found =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)));
    let mut found: Vec<Progress> = found.expect("rows").map(|row| row.expect("a row")).collect();
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
    assert!(found.iter().any(|row| row.4 != row.5), "some have more than two films");
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Vec<u8> {
    let output = sandbox.output(args);
    assert!(output.status.success(), "{args:?}: {}", words(&output));
    output.stdout
}

#[test]
fn parquet_holds_what_json_does_with_types() {
    let sandbox = clinic();
    let month = db_day(&sandbox, "date('now', '-30 days')");
    for name in ["grades", "times", "daily", "drift", "labels"] {
        let file = sandbox.beside(&format!("{name}.parquet"));
        let mut args = vec!["report", name];
        if name != "drift" {
            args.extend(["--since", &month]);
        }
        let json: Vec<BTreeMap<String, Value>> =
            serde_json::from_slice(&run(&sandbox, &[&args[..], &["--format", "json"]].concat())).expect("JSON");
        assert!(!json.is_empty());
        assert!(run(&sandbox, &[&args[..], &["--output", file.to_str().expect("UTF-8")]].concat()).is_empty());
        let read = SerializedFileReader::new(File::open(&file).expect("written")).expect("Parquet");
        assert_eq!(read.metadata().file_metadata().num_rows() as usize, json.len());
        for (row, json) in read.get_row_iter(None).expect("rows").zip(&json) {
            let row = row.expect("a row");
            assert_eq!(row.len(), json.len());
            for (column, field) in row.get_column_iter() {
                let same = match field {
                    Field::Null => json[column].is_null(),
                    Field::Long(number) => json[column] == *number,
                    Field::Double(number) => json[column].as_f64() == Some(*number),
                    Field::Str(text) => json[column] == *text,
                    Field::TimestampMillis(ms) => {
                        let time = jiff::Timestamp::from_millisecond(*ms).expect("a time");
                        json[column] == kellgrend::ledger::timestamp(time)
                    }
                    other => panic!("{name}.{column}: {other}"),
                };
                assert!(same, "{name}.{column}: {field} is not {}", json[column]);
            }
        }
        if name == "grades" {
            let types = types(&file);
            assert!(matches!(types["graded_at"], (Physical::INT64, Some(LogicalType::Timestamp(_)))), "{types:?}");
            assert!(matches!(types["study_date"], (Physical::BYTE_ARRAY, Some(LogicalType::String))), "{types:?}");
        }
    }
}

/// The types of a Parquet file's columns.
fn types(file: &Path) -> HashMap<String, (Physical, Option<LogicalType>)> {
    let read = SerializedFileReader::new(File::open(file).expect("written")).expect("Parquet");
    let columns = read.metadata().file_metadata().schema_descr().columns().iter();
    let of = |column: &Arc<ColumnDescriptor>| (column.physical_type(), column.logical_type_ref().cloned());
    columns.map(|column| (column.name().to_owned(), of(column))).collect()
}

/// The files of several months are read together: also those of a month without a row.
#[test]
fn parquet_has_the_types_of_the_guide_whatever_rows_there_are() {
    let sandbox = clinic();
    // a reader may say the day alone
    let unknown = Digest::of(b"a film that has not come").to_string();
    for (grade, reader) in [("1", "A"), ("3", "B")] {
        let args = ["labels", "add", &unknown, "--grade", grade, "--reader", reader, "--date", "2026-01-31"];
        run(&sandbox, &args);
    }
    let told = told();
    let file = sandbox.beside("report.parquet");
    for report in REPORTS {
        for window in [&["--since", "2001-01-01", "--until", "2001-02-01"][..], &[]] {
            let args = ["report", report.name, "--output", file.to_str().expect("UTF-8")];
            run(&sandbox, &[&args[..], window].concat());
            let types = types(&file);
            let columns = &told[format!("report_{}", report.name).as_str()];
            assert_eq!(types.len(), columns.len());
            for (column, (kind, _)) in columns {
                let found = &types[*column];
                let is_time = *column != "read_at" && (["at", "since"].contains(column) || column.ends_with("_at"));
                let is_as_told = matches!(
                    (*kind, is_time, found),
                    ("integer", false, (Physical::INT64, None))
                        | ("real", false, (Physical::DOUBLE, None))
                        | ("text", false, (Physical::BYTE_ARRAY, Some(LogicalType::String)))
                        | ("text", true, (Physical::INT64, Some(LogicalType::Timestamp(_))))
                );
                assert!(is_as_told, "{}.{column}: {kind}, and {found:?} in Parquet", report.name);
            }
        }
    }
}

fn db_day(sandbox: &Sandbox, day: &str) -> String {
    sandbox.ledger().query_row(&format!("SELECT {day}"), [], |row| row.get(0)).expect("a day")
}

#[test]
fn no_cell_of_a_csv_is_a_formula() {
    let sandbox = clinic();
    let writer = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    writer.execute("UPDATE radiographs SET patient = '=1+cmd|calc' WHERE patient IS NOT NULL", []).expect("written");
    let csv = String::from_utf8(run(&sandbox, &["report", "grades", "--format", "csv"])).expect("text");
    assert!(csv.contains(",'=1+cmd|calc,") && !csv.contains(",=1+cmd"), "{}", &csv[..400]);
    let json = String::from_utf8(run(&sandbox, &["report", "grades", "--format", "json"])).expect("text");
    assert!(json.contains("\"=1+cmd|calc\""));
}

#[test]
fn a_window_and_an_output_are_what_they_say() {
    let sandbox = clinic();
    let (since, until) = (db_day(&sandbox, "date('now', '-60 days')"), db_day(&sandbox, "date('now', '-30 days')"));
    let file = sandbox.beside("days.csv");
    std::fs::write(&file, "an older export").expect("written");
    let path = file.to_str().expect("UTF-8");
    run(&sandbox, &["report", "daily", "--since", &since, "--until", &until, "--output", path]);
    let csv = std::fs::read_to_string(&file).expect("written");
    let days: Vec<_> = csv.lines().skip(1).map(|line| line.split(',').next().expect("a day").to_owned()).collect();
    assert_eq!(days.len(), 30, "{csv}");
    assert!(days.iter().all(|day| *day >= since && *day < until), "{days:?}");
    for report in REPORTS {
        run(&sandbox, &["report", report.name, "--since", &since, "--until", &until, "--format", "csv"]);
    }
    // an export of nothing leaves nothing of the one before
    run(&sandbox, &["report", "daily", "--until", "2000-01-01", "--format", "table", "--output", path]);
    assert_eq!(std::fs::read_to_string(&file).expect("written"), "nothing in that time\n");
    let nameless = sandbox.output(&["report", "daily", "--output", "days.txt"]);
    assert_eq!(nameless.status.code(), Some(2), "{}", words(&nameless));
    let nowhere = sandbox.output(&["report", "daily", "--output", "/nowhere/days.csv"]);
    assert_eq!(nowhere.status.code(), Some(3), "{}", words(&nowhere));
}

/// A report that reads for long: nobody waits for the other, and what had to be kept for it goes when it ends.
#[test]
fn a_long_report_hinders_nobody_and_leaves_no_large_wal() {
    const LIMIT: u64 = 16 << 20;
    let sandbox = Sandbox::new();
    let path = sandbox.state().join("ledger.db");
    let ledger = Ledger::open(&path).expect("a ledger");
    let wal = || sandbox.state().join("ledger.db-wal").metadata().expect("a WAL").len();
    ledger.add_labels(labels(0, 10), "a test".to_owned()).expect("written");
    let reader = Ledger::read(&path).expect("a reader");
    reader.busy_timeout(std::time::Duration::ZERO).expect("it would be told at once");
    let seen = || reader.query_row("SELECT count(*) FROM report_labels", [], |row| row.get::<_, i64>(0));
    reader.execute_batch("BEGIN").expect("a transaction");
    assert_eq!(seen(), Ok(10));
    let mut written = 10;
    while wal() <= LIMIT + (1 << 20) {
        ledger.add_labels(labels(written, 1000), "a test".to_owned()).expect("the reader is not in the way");
        written += 1000;
        assert_eq!(seen(), Ok(10), "it sees one moment, and waits for nobody");
    }
    reader.execute_batch("COMMIT").expect("ended");
    assert_eq!(seen(), Ok(written as i64));
    // the first makes SQLite copy the WAL into the database, the second begins it anew
    for _ in 0..2 {
        ledger.add_labels(labels(written, 10), "a test".to_owned()).expect("written");
        written += 10;
    }
    assert!(wal() <= LIMIT, "the WAL has {} bytes", wal());
}
