//! What readers say: lists that are taken in or refused, and what the ledger makes of them.

use crate::films::{dicom_of, small_png};
use crate::sandbox::{Sandbox, names_in, words};
use kellgrend::digest::Digest;
use kellgrend::labels::{ListError, read};
use kellgrend::ledger::Labelled;
use kellgrend::phantom::{Coding, Knees, Subject, bilateral, dicom};
use kellgrend::side::Side;
use proptest::prelude::*;
use rusqlite::Connection;
use std::path::Path;

fn run(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = sandbox.output(args);
    assert!(output.status.success(), "{args:?}: {}", words(&output));
    words(&output)
}

/// A report's rows as CSV, without its header.
fn rows(sandbox: &Sandbox, report: &str) -> Vec<String> {
    run(sandbox, &["report", report, "--format", "csv"]).lines().skip(1).map(str::to_owned).collect()
}

fn put(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> String {
    let path = sandbox.beside(name);
    std::fs::write(&path, bytes).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn lists_are_read_as_spreadsheets_write_them() {
    let sandbox = Sandbox::new();
    put(&sandbox, "9001L.png", &small_png(1));
    let folder = sandbox.beside("");
    let list =
        "\u{feff}File;Side;KL grade;Reader;Date\r\n9001L.png;L;KL3;\"Dr. A; B\";2026-01-31\r\n9001L.png;;4;;\r\n";
    let labels = read(list.as_bytes(), Some(&folder), Some("the list")).expect("two labels");
    assert_eq!(labels[0].radiograph, Labelled::Digest(Digest::of(&small_png(1))));
    let told = |label: &kellgrend::ledger::LabelRow| (label.side, u8::from(label.grade), label.reader.clone());
    assert_eq!(told(&labels[0]), (Side::Left, 3, "Dr. A; B".to_owned()));
    assert_eq!(told(&labels[1]), (Side::Unknown, 4, "the list".to_owned()));
    assert_eq!((labels[0].read_at.as_deref(), labels[1].read_at.as_deref()), (Some("2026-01-31"), None));
    let list = "sop_instance_uid,grade,date,settles\n1.2.840.99,0,2026-01-31T10:00:00+02:00,yes\n";
    let label = read(list.as_bytes(), Some(&folder), Some("R")).expect("a label").remove(0);
    assert_eq!(label.radiograph, Labelled::InstanceUid("1.2.840.99".to_owned()));
    assert!(label.settles);
    assert!(label.read_at.as_deref() == Some("2026-01-31T08:00:00.000Z"), "{label:?}");
    let list = "sep=;\nSHA256;Grade;Comment;;settles\n{}; 3.0 ;why not;;FALSE\n;;;;\n"
        .replace("{}", &Digest::of(b"x").to_string());
    let label = read(list.as_bytes(), None, Some("R")).expect("a label").remove(0);
    assert_eq!((u8::from(label.grade), label.settles), (3, false));
    // a blank line first, and lines that end with a return alone
    for ends in ["\n", "\r\n", "\r"] {
        let list =
            ["", "sha256;grade;comment", &format!("{};2;one, two, three, four", Digest::of(b"x")), ""].join(ends);
        let label = read(list.as_bytes(), None, Some("R")).expect("a label").remove(0);
        assert_eq!(u8::from(label.grade), 2, "{ends:?}");
        let wrong = read(list.replace(";2;", ";7;").as_bytes(), None, Some("R")).expect_err("no grade").to_string();
        assert!(wrong.contains("line 3, column grade"), "{ends:?}: {wrong}");
    }
}

#[test]
fn what_is_wrong_with_a_list_is_told_with_line_and_column_and_nothing_it_says() {
    let sha = Digest::of(b"x").to_string();
    for (list, wanted) in [
        (String::new(), "no column says which radiograph"),
        ("grade\n3\n".to_owned(), "no column says which radiograph"),
        ("sha256,reader\n".to_owned(), "no column grade"),
        ("sha256,grade,patient\n".to_owned(), "column 3 is not known"),
        (format!("sha256,grade{}\n", ",".repeat(99)), "there are 101 columns"),
        ("sha256,grade,kl\n".to_owned(), "two columns grade"),
        ("sha256,grade\n".to_owned(), "no label in it"),
        (format!("sha256,grade,reader\n{sha},1,A\n{sha},5,A\n"), "line 3, column grade: no Kellgren-Lawrence grade"),
        (format!("sha256,grade,reader\n{sha},1,\n"), "line 2, column reader: nobody is named"),
        (format!("sha256,grade,reader\n{sha},1,=1+1\n"), "line 2, column reader: no name"),
        (format!("sha256,grade,reader\n\n{sha},1,\"A\n{sha},3,B\n"), "line 3, column reader: no name"),
        (format!("sha256,grade,date,reader\n{sha},1,2026-01-31 10:00:00,A\n"), "line 2, column date: no date"),
        (format!("sha256,grade,date,reader\n{sha},1,2206-01-31,A\n"), "line 2, column date: in the future"),
        (format!("sha256,grade,reader\n{},1,A\n", &sha[..12]), "line 2, column sha256: no SHA-256"),
        ("instance_uid,grade,reader\nDoe,1,A\n".to_owned(), "line 2, column instance_uid: no UID"),
        (format!("instance_uid,grade,reader\n{sha},1,A\n"), "line 2, column instance_uid: no UID"),
        ("file,grade,reader\n/dev/zero,1,A\n".to_owned(), "line 2, column file: no file that can be read"),
        (format!("sha256,grade,side,reader\n{sha},1,middle,A\n"), "line 2, column side: no side"),
        (format!("sha256,grade,date,reader\n{sha},1,yesterday,A\n"), "line 2, column date: no date"),
        (format!("sha256,grade,settles,reader\n{sha},1,maybe,A\n"), "line 2, column settles"),
        ("sha256,instance_uid,grade,reader\n,,1,A\n".to_owned(), "line 2, column sha256: nothing says which"),
        ("file,grade,reader\nDoe^John.png,1,A\n".to_owned(), "line 2, column file: no file that can be read"),
        (format!("sha256,grade,reader\n{sha},1\n"), "line 2: it is no comma-separated values: it has more or fewer"),
    ] {
        // however its lines end
        for list in [list.clone(), list.replace('\n', "\r\n")] {
            let error: ListError = read(list.as_bytes(), Some(Path::new("/nonexistent")), None).expect_err("refused");
            let text = error.to_string();
            assert!(text.contains(wanted) && !text.contains("Doe"), "{list:?}: {text}");
        }
        let text = read(list.as_bytes(), None, None).expect_err("refused").to_string();
        assert!(!text.contains("Doe") && !text.contains("yesterday") && !text.contains(&sha), "{text}");
    }
    let text = read(b"sha256,grade,reader\n\xff\xfe,1,A\n", None, None).expect_err("refused").to_string();
    assert!(text.contains("UTF-8"), "{text}");
}

#[test]
fn labels_are_kept_and_the_last_word_of_each_reader_stands() {
    let sandbox = Sandbox::new();
    let film = put(&sandbox, "a.png", &small_png(1));
    let add = |grade: &str, reader: &str, more: &[&str]| {
        let args = [&["labels", "add", film.as_str(), "--grade", grade, "--reader", reader], more].concat();
        run(&sandbox, &args)
    };
    assert!(add("1", "A", &["--date", "2026-01-01"]).contains("taken in"));
    assert!(!sandbox.state().join("ledger.db-wal").exists(), "all is in the file");
    assert!(add("1", "A", &["--date", "2026-01-01"]).contains("on record already"), "the same word again");
    add("2", "A", &["--date", "2026-02-01"]);
    add("2", "B", &["--date", "2026-01-15"]);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_labels"), 3);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_labels WHERE stands"), 2);
    assert_eq!(sandbox.count("SELECT grade FROM report_labels WHERE NOT stands"), 1, "what A said first is on record");
    assert!(rows(&sandbox, "label_conflicts").is_empty(), "they agree now");
    add("4", "B", &["--date", "2026-03-01"]);
    let conflicts = rows(&sandbox, "label_conflicts");
    assert_eq!(conflicts.len(), 1, "{conflicts:?}");
    assert!(conflicts[0].contains("2,4,2,A: 2; B: 4") || conflicts[0].contains("2,4,2,B: 4; A: 2"), "{conflicts:?}");
    add("3", "C", &["--settle", "--date", "2026-03-02"]);
    assert!(rows(&sandbox, "label_conflicts").is_empty(), "settled");
    assert_eq!(sandbox.count("SELECT grade FROM report_labels WHERE stands"), 3);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_labels"), 5, "nothing is overwritten");

    // a reader may come back to what was said before
    for grade in ["1", "2", "1"] {
        assert!(add(grade, "D", &["--side", "left"]).contains("taken in"));
    }
    assert_eq!(sandbox.count("SELECT grade FROM report_labels WHERE stands AND reader = 'D'"), 1);

    let list = run(&sandbox, &["labels", "export"]);
    let copy = Sandbox::new();
    let path = put(&copy, "list.csv", list.as_bytes());
    assert!(run(&copy, &["labels", "import", &path]).contains("8 new labels, 0 on record"));
    assert!(run(&copy, &["labels", "import", &path]).contains("0 new labels, 8 on record"));
    assert_eq!(run(&copy, &["labels", "export"]), list, "what was given out can be taken in");
    assert_eq!(rows(&copy, "label_conflicts"), rows(&sandbox, "label_conflicts"));
}

/// Dates, times and labels without either are one order: a date counts as its end, and nothing was read after it came.
#[test]
fn what_was_said_last_stands_however_its_time_is_told() {
    let sandbox = Sandbox::new();
    let sha = Digest::of(b"x").to_string();
    let list = |name: &str, lines: &str| {
        let path = put(&sandbox, name, format!("sha256,grade,reader,date\n{lines}").replace("SHA", &sha).as_bytes());
        run(&sandbox, &["labels", "import", &path]);
        sandbox.count("SELECT grade FROM report_labels WHERE stands")
    };
    assert_eq!(list("1.csv", "SHA,0,A,2026-01-31T10:00:00Z\nSHA,1,A,2026-01-31\n"), 1);
    assert_eq!(list("2.csv", "SHA,2,A,2026-01-30\n"), 1, "an older reading that comes later");
    assert_eq!(list("3.csv", "SHA,3,A,\n"), 3, "undated ones were read when they came");
    run(&sandbox, &["labels", "add", &sha, "--grade", "4", "--reader", "A"]);
    assert_eq!(sandbox.count("SELECT grade FROM report_labels WHERE stands"), 4);
    let exported = run(&sandbox, &["labels", "export"]);
    let path = put(&sandbox, "own.csv", exported.as_bytes());
    assert!(run(&sandbox, &["labels", "import", &path]).contains("0 new labels, 5 on record"));
}

#[test]
fn what_a_reader_says_twice_in_one_list_is_a_contradiction() {
    let sandbox = Sandbox::new();
    let sha = Digest::of(b"x").to_string();
    let list = |name: &str, lines: &str| {
        let lines = format!("sha256,grade,reader,date,settles\n{lines}").replace("SHA", &sha);
        let path = put(&sandbox, name, lines.as_bytes());
        run(&sandbox, &["labels", "import", &path]);
        rows(&sandbox, "label_conflicts")
    };
    assert!(list("1.csv", "SHA,2,A,,\nSHA,2,A,2026-01-31,\n").is_empty(), "the same grade");
    for (name, at) in [("2.csv", ""), ("3.csv", "2026-01-31")] {
        let conflicts = list(name, &format!("SHA,1,C,{at},\nSHA,4,C,{at},\n"));
        assert!(conflicts.len() == 1 && conflicts[0].contains(",1,4,2,A: 2; C: 1; C: 4"), "{conflicts:?}");
    }
    assert_eq!(
        list("4.csv", "SHA,1,C,2026-01-31,\nSHA,4,C,2026-01-31,\n").len(),
        1,
        "what is on record changes nothing"
    );
    assert!(list("5.csv", "SHA,3,C,,\n")[0].contains(",2,3,2,A: 2; C: 3"), "a later list is a later word");
    assert!(list("6.csv", "SHA,1,C,,1\nSHA,3,D,,1\n")[0].contains(",1,3,2,C: 1; D: 3"), "both claim to settle it");
    run(&sandbox, &["labels", "add", &sha, "--grade", "1", "--reader", "C", "--settle"]);
    assert!(rows(&sandbox, "label_conflicts").is_empty());
    assert_eq!(sandbox.count("SELECT grade FROM report_labels WHERE stands"), 1);
    let copy = Sandbox::new();
    let path = put(&copy, "list.csv", run(&sandbox, &["labels", "export"]).as_bytes());
    run(&copy, &["labels", "import", &path]);
    assert_eq!(copy.count("SELECT grade FROM report_labels WHERE stands"), 1);
}

#[test]
fn labels_find_their_knees_whenever_those_come() {
    let sandbox = Sandbox::new();
    let both = dicom(&bilateral(5, 0.2, 0.7), &Subject::new(5, Knees::Both), Coding::ExplicitLittleEndian);
    let both = put(&sandbox, "both.dcm", &both.expect("a DICOM file"));
    let single = put(&sandbox, "single.dcm", &dicom_of("A^B", "7", 6));
    let plain = put(&sandbox, "plain.png", &small_png(1));
    let unlabelled = put(&sandbox, "other.png", &small_png(2));
    let list = "file,side,grade,reader\nboth.dcm,left,3,A\nboth.dcm,right,0,A\nboth.dcm,,1,A\nplain.png,left,2,A\n";
    let path = put(&sandbox, "list.csv", list.as_bytes());
    run(&sandbox, &["labels", "import", &path]);
    let lacking = |what: &str| sandbox.count(&format!("SELECT count(*) FROM report_label_gaps WHERE lacks = '{what}'"));
    let to_learn = || sandbox.count("SELECT count(*) FROM unlearnt_labels");
    assert_eq!((lacking("grade"), lacking("label"), to_learn()), (4, 0, 0), "labels came first");

    run(&sandbox, &["grade", &both, &single, &plain, &unlabelled, "--no-pictures"]);
    // which of two knees nobody can tell; a picture of unknown side has only the one
    assert_eq!((lacking("grade"), lacking("knee"), lacking("label"), to_learn()), (0, 1, 2, 3));
    let uid = "SELECT instance_uid FROM report_grades WHERE instance_uid IS NOT NULL AND side = 'right' AND sha256 NOT IN \
               (SELECT sha256 FROM report_labels)";
    let uid: String = sandbox.ledger().query_row(uid, [], |row| row.get(0)).expect("the single film's");
    run(&sandbox, &["labels", "add", &uid, "--grade", "1", "--reader", "B"]);
    assert_eq!((lacking("grade"), lacking("knee"), lacking("label"), to_learn()), (0, 1, 1, 4));

    let agreement = "SELECT knees || ' ' || (r0_e0+r0_e1+r0_e2+r0_e3+r0_e4) || ' ' || (r3_e0+r3_e1+r3_e2+r3_e3+r3_e4) \
                     FROM report_agreement";
    let agreement: String = sandbox.ledger().query_row(agreement, [], |row| row.get(0)).expect("a row");
    assert_eq!(agreement, "4 1 1");
    let pairs = "SELECT l.grade, g.grade FROM report_labels l JOIN report_grades g \
                 ON (l.sha256 = g.sha256 OR l.instance_uid = g.instance_uid) AND (l.side = g.side OR l.side = 'unknown' \
                 OR g.side = 'unknown') WHERE l.placed";
    let db = sandbox.ledger();
    let mut pairs = db.prepare(pairs).expect("sql");
    let pairs: Vec<(usize, usize)> = pairs
        .query_map([], |row| Ok((row.get::<_, u8>(0)?.into(), row.get::<_, u8>(1)?.into())))
        .expect("rows")
        .map(|row| row.expect("a row"))
        .collect();
    assert_eq!(pairs.len(), 4, "{pairs:?}");
    let mut confusion = kellgrend::evaluation::Confusion::default();
    pairs.iter().for_each(|&(reader, ensemble)| confusion.0[reader][ensemble] += 1);
    let (accuracy, kappa): (f64, f64) = db
        .query_row("SELECT accuracy, quadratic_kappa FROM report_agreement", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("a row");
    assert!((accuracy - confusion.accuracy().expect("knees")).abs() < 1e-4);
    assert!((kappa - confusion.quadratic_kappa().expect("several grades")).abs() < 1e-4, "{kappa}: {confusion:?}");
    // a run that came to an end has learnt from them, one that failed has not
    let writer = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    for (outcome, left) in [("kept", 0), ("failed", 4)] {
        let begun = "INSERT OR REPLACE INTO training_runs (name, begun_at, origin, of_labels, knees, gold_knees, fits, outcome, data, \
                     plan) VALUES ('run', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'schedule', 1, 4, 0, 1, ?1, '', '')";
        writer.execute(begun, [outcome]).expect("written");
        assert_eq!(to_learn(), left, "{outcome}");
    }
    // where readers contradict each other, there is nothing to learn
    run(&sandbox, &["labels", "add", &uid, "--grade", "2", "--reader", "C"]);
    assert_eq!(to_learn(), 3);
}

/// The same film in other bytes has the same labels; a lone knee of unknown side cannot be both knees.
#[test]
fn a_film_sent_again_has_its_labels_and_a_knee_is_not_two() {
    let sandbox = Sandbox::new();
    let subject = Subject::new(3, Knees::One(Side::Right));
    let knee = kellgrend::phantom::knee(3, Side::Right, 0.4);
    let codings = [("a.dcm", Coding::ExplicitLittleEndian), ("b.dcm", Coding::ImplicitLittleEndian)];
    let films =
        codings.map(|(name, coding)| put(&sandbox, name, &dicom(&knee, &subject, coding).expect("a DICOM file")));
    let plain = put(&sandbox, "plain.png", &small_png(1));
    run(&sandbox, &["grade", &films[0], &films[1], &plain, "--no-pictures"]);
    let uid = "SELECT DISTINCT instance_uid FROM report_grades WHERE instance_uid IS NOT NULL";
    let uid: String = sandbox.ledger().query_row(uid, [], |row| row.get(0)).expect("one UID");
    run(&sandbox, &["labels", "add", &uid, "--grade", "2", "--reader", "A"]);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_label_gaps"), 1, "the plain one's");
    assert_eq!(sandbox.count("SELECT knees FROM report_agreement"), 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_labels"), 1);
    // what readers disagree on is one knee
    run(&sandbox, &["labels", "add", &uid, "--grade", "4", "--reader", "B"]);
    assert_eq!(rows(&sandbox, "label_conflicts").len(), 1);
    for (side, grade) in [("left", "3"), ("right", "0")] {
        run(&sandbox, &["labels", "add", &plain, "--side", side, "--grade", grade, "--reader", "A"]);
    }
    assert_eq!(
        sandbox.count("SELECT count(*) FROM report_label_gaps WHERE lacks = 'knee'"),
        2,
        "which it is nobody can tell"
    );
    run(&sandbox, &["labels", "add", &uid, "--grade", "2", "--reader", "B", "--settle"]);
    assert_eq!(sandbox.count("SELECT knees FROM report_agreement"), 2);

    // of a film that is refused it is not known which knees it shows
    let damaged = put(&sandbox, "damaged.png", &small_png(2)[..200]);
    assert!(!sandbox.output(&["grade", &damaged]).status.success());
    run(&sandbox, &["labels", "add", &damaged, "--grade", "1", "--reader", "A"]);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_label_gaps WHERE lacks = 'grade'"), 1);
}

#[test]
fn a_wrong_list_is_refused_whole_and_usage_is_told() {
    let sandbox = Sandbox::new();
    let sha = Digest::of(b"x").to_string();
    let good = put(&sandbox, "good.csv", format!("sha256,grade,reader\n{sha},1,A\n").as_bytes());
    let bad = put(&sandbox, "bad.csv", format!("sha256,grade,reader\n{sha},2,A\n{sha},9,A\n").as_bytes());
    let output = sandbox.output(&["labels", "import", &bad, "/nonexistent.csv", &good]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("bad.csv: line 3, column grade") && words(&output).contains("good.csv: 1 new"));
    assert_eq!(sandbox.count("SELECT count(*) FROM labels"), 1);
    for args in [
        &["labels", "add", "/nonexistent.png", "--grade", "1", "--reader", "A"][..],
        &["labels", "add", &sha, "--grade", "5", "--reader", "A"],
        &["labels", "add", &sha, "--grade", "1", "--reader", " "],
        &["labels", "add", &sha, "--grade", "1", "--reader", "A", "--date", "soon"],
    ] {
        let output = sandbox.output(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", words(&output));
    }
}

/// Tables and log lines show the first digits.
#[test]
fn the_first_digits_name_what_is_on_record() {
    let sandbox = Sandbox::new();
    let film = put(&sandbox, "a.png", &small_png(1));
    assert!(sandbox.output(&["grade", &film, "--no-pictures"]).status.success());
    let sha = Digest::of(&small_png(1)).to_string();
    let add = |named: &str| sandbox.output(&["labels", "add", named, "--grade", "2", "--reader", "A"]);
    assert!(add(&sha[..12].to_uppercase()).status.success());
    let labelled = format!("SELECT count(*) FROM report_labels WHERE stands AND sha256 = '{sha}'");
    assert_eq!(sandbox.count(&labelled), 1);
    for unknown in [&sha[..7], "00000000"] {
        let output = add(unknown);
        assert!(output.status.code() == Some(2) && words(&output).contains("first digits"), "{}", words(&output));
    }
    // another whose digits begin alike
    let twin = format!("{}{}", &sha[..20], "0".repeat(44));
    let sql = format!("INSERT INTO radiographs (sha256, bytes) VALUES ('{twin}', 1)");
    rusqlite::Connection::open(sandbox.state().join("ledger.db")).and_then(|db| db.execute(&sql, [])).expect("written");
    assert!(words(&add(&sha[..20])).contains("several radiographs"));
    assert!(add(&sha[..21]).status.success());
}

/// Lists in the labels folder are taken in while nobody watches, or put aside with the reason; hidden names, other endings and
/// links stay. No name that is made says what the list was called.
#[test]
fn the_daemon_takes_lists_from_its_folder() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let folder = sandbox.state().join("labels");
    let sha = Digest::of(b"x").to_string();
    let good = format!("sha256,grade,reader\n{sha},1,A\n{sha},3,B\n");
    let bad = "file,grade,reader\n/dev/zero,1,A\n";
    for (name, text) in
        [("Doe^John.csv", good.as_str()), ("Doe^Jane.CSV", bad), (".hidden.csv", good.as_str()), ("a.txt", bad)]
    {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(7200);
    std::fs::File::options()
        .write(true)
        .open(folder.join("Doe^John.csv"))
        .and_then(|file| file.set_modified(ahead))
        .expect("set");
    std::os::unix::fs::symlink(folder.join("a.txt"), folder.join("link.csv")).expect("linked");
    let book = b"PK\x03\x04\xff\xfe\n\xff";
    std::fs::write(folder.join("book.xlsx"), book).expect("written");
    std::fs::write(folder.join("~$book.xlsx"), "open").expect("written");
    sandbox.until("SELECT count(*) FROM report_label_conflicts", 1);
    let taken = folder.join("taken").join(format!("{}.csv", Digest::of(good.as_bytes())));
    let refused = folder.join("refused").join(Digest::of(bad.as_bytes()).to_string());
    let began = std::time::Instant::now();
    let book = folder.join("refused").join(Digest::of(book).to_string());
    while !(taken.exists() && refused.with_extension("csv").exists() && book.with_extension("csv").exists()) {
        assert!(began.elapsed().as_secs() < 30, "{:?}", names_in(&folder));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let reason = std::fs::read_to_string(refused.with_extension("txt")).expect("a reason");
    assert!(reason.contains("line 2, column file: here a radiograph is named by sha256"), "{reason}");
    let reason = std::fs::read_to_string(book.with_extension("txt")).expect("a reason");
    assert!(reason.contains("CSV UTF-8"), "{reason}");
    std::fs::write(folder.join("again.csv"), &good).expect("written");
    let began = std::time::Instant::now();
    while folder.join("again.csv").exists() {
        assert!(began.elapsed().as_secs() < 30, "the same list again is taken, too");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let log = daemon.log();
    daemon.stop(rustix::process::Signal::TERM);
    assert_eq!(sandbox.count("SELECT count(*) FROM labels"), 2);
    assert!(!log.contains("Doe") && log.contains("labels taken in"), "{log}");
    let left: Vec<_> = names_in(&folder).iter().map(|path| path.file_name().expect("a name").to_owned()).collect();
    assert_eq!(left, [".hidden.csv", "a.txt", "link.csv", "refused", "taken", "~$book.xlsx"]);
    assert_eq!((names_in(&folder.join("taken")).len(), names_in(&folder.join("refused")).len()), (1, 4));
}

proptest! {
    #[test]
    fn hostile_lists_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, None, None);
        let list = [b"sha256,grade,reader\n".as_slice(), &bytes].concat();
        prop_assert!(read(&list, None, None).is_err() || bytes.len() > 64);
    }
}
