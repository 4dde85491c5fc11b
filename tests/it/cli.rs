//! The command line: exit codes, machine-readable output, resuming, models.

use crate::films::{dicom_of, small_png};
use crate::sandbox::{Sandbox, shared, words};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Output, Stdio};

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

/// Three knees, one of them twice, and a file that is none.
fn folder(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.beside("films");
    std::fs::create_dir_all(folder.join("deeper")).expect("made");
    std::fs::write(folder.join("1L.png"), small_png(1)).expect("written");
    std::fs::write(folder.join("1L-again.png"), small_png(1)).expect("written");
    std::fs::write(folder.join("deeper/2_right.dcm"), dicom_of("A^B", "1", 2)).expect("written");
    std::fs::write(folder.join("deeper/3.png"), small_png(3)).expect("written");
    std::fs::write(folder.join("notes.txt"), "no image").expect("written");
    folder
}

#[test]
fn grade_answers_a_line_a_knee_and_goes_on_where_it_stopped() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox);
    let path = folder.to_str().expect("UTF-8");
    let first = sandbox.output(&["grade", path, "--json"]);
    assert_eq!(first.status.code(), Some(1), "one was refused: {}", words(&first));
    let answers = lines(&first);
    let told: Vec<_> = answers
        .iter()
        .map(|line| {
            let name = line["file"].as_str().expect("a file").rsplit('/').next().expect("a name");
            (name, line["status"].as_str().expect("a status"), line["side"].as_str())
        })
        .collect();
    let wanted = [
        ("1L-again.png", "graded", Some("unknown")),
        ("1L.png", "duplicate", Some("unknown")),
        ("2_right.dcm", "graded", Some("right")),
        ("3.png", "graded", Some("unknown")),
        ("notes.txt", "quarantined", None),
    ];
    assert_eq!(told, wanted);
    for line in &answers {
        let keys: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        let contract = [
            "file",
            "sha256",
            "status",
            "reason",
            "side",
            "grade",
            "probabilities",
            "agreement",
            "entropy",
            "needs_review",
            "votes",
            "missing",
            "release",
        ];
        assert_eq!(keys, contract, "the fields in their order");
    }
    let graded = &answers[0];
    assert_eq!(graded["probabilities"].as_array().map(Vec::len), Some(5));
    assert_eq!(graded["votes"][0]["member"], "shufflenet_v2_x2_0");
    assert_eq!(graded["votes"][0]["grade"], graded["grade"]);
    assert_eq!(graded["agreement"], 1.0);
    assert!(graded["entropy"].as_f64().is_some_and(|bits| (0.0..2.33).contains(&bits)), "{graded}");
    assert_eq!(graded["missing"], serde_json::json!([]));
    assert!(answers[4]["reason"].as_str().expect("a reason").starts_with("not-an-image: "));

    let again = sandbox.output(&["grade", path, "--json"]);
    let again = lines(&again);
    assert!(again.iter().take(4).all(|line| line["status"] == "duplicate"), "{again:?}");
    assert_eq!(again[0]["probabilities"], graded["probabilities"]);
    assert_eq!(again[0]["entropy"], graded["entropy"]);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 3);
    assert!(folder.join("1L.png").exists() && folder.join("notes.txt").exists(), "a user's files stay where they are");
    assert_eq!(sandbox.results().len(), 3);
}

/// Stopped, or with nobody who reads on, it ends with what the networks have begun, and says so.
#[test]
fn grade_that_ends_early_answers_all_that_it_graded() {
    let sandbox = Sandbox::new();
    sandbox.grade_quickly();
    let folder = sandbox.beside("films");
    std::fs::create_dir(&folder).expect("made");
    (0..80)
        .for_each(|seed| std::fs::write(folder.join(format!("{seed}.png")), small_png(2000 + seed)).expect("written"));
    let begin = || {
        let mut command = sandbox.command(&["grade", folder.to_str().expect("UTF-8"), "--json", "--no-pictures"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    };
    let stopped = begin();
    sandbox.until_at_least("SELECT count(*) FROM grades", 3);
    kill_process(Pid::from_child(&stopped), Signal::TERM).expect("a signal");
    let output = stopped.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130), "{}", words(&output));
    let graded = lines(&output).iter().filter(|line| line["status"] == "graded").count();
    assert_eq!(graded as i64, sandbox.count("SELECT count(*) FROM grades"), "{}", words(&output));
    assert!(graded < 80 && words(&output).contains(&format!("{graded} radiographs graded")), "{}", words(&output));

    let mut unheard = begin();
    drop(unheard.stdout.take());
    let output = unheard.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130), "{}", words(&output));
    assert!(words(&output).contains("nobody reads the answers any more"), "{}", words(&output));
}

#[test]
fn grade_takes_globs_csv_and_no_pictures() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox);
    let glob = format!("{}/**/*.png", folder.display());
    let output = sandbox.output(&["grade", &glob, "--csv", "--no-pictures", "--jobs", "1", "--batch", "3"]);
    assert!(output.status.success(), "{}", words(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let header =
        "file,sha256,status,reason,side,grade,p0,p1,p2,p3,p4,agreement,votes,release,entropy,missing,needs_review";
    assert_eq!(text.lines().next(), Some(header));
    assert_eq!(text.lines().count(), 4);
    assert_eq!(sandbox.count("SELECT count(*) FROM pictures"), 0);
    for result in sandbox.results() {
        assert_eq!(crate::sandbox::names_in(&result).len(), 1, "the record alone");
    }
}

#[test]
fn exit_codes_are_kept() {
    let sandbox = Sandbox::new();
    let code = |args: &[&str]| {
        let output = sandbox.output(args);
        (output.status.code(), words(&output))
    };
    let (exit, text) = code(&["report", "grades"]);
    assert_eq!(exit, Some(3), "{text}");
    assert!(text.contains("there is no ledger"), "{text}");
    assert_eq!(code(&["grade", "/nowhere/at/all"]).0, Some(2));
    assert_eq!(code(&["grade"]).0, Some(2));
    assert_eq!(code(&["frobnicate"]).0, Some(2));
    assert_eq!(code(&["models", "use", "nothing"]).0, Some(2));
    assert_eq!(code(&["check"]).0, Some(0));
    assert_eq!(code(&["status"]).0, Some(3), "no ledger yet");
    std::fs::write(sandbox.beside("kellgrend.toml"), "[settle]\nquite = \"3s\"\n").expect("written");
    let (exit, text) = code(&["run"]);
    assert_eq!(exit, Some(2), "{text}");
    assert!(text.contains("line 2, column 1") && text.contains("quiet"), "{text}");
    std::fs::write(sandbox.beside("kellgrend.toml"), "[ensemble]\ndevice = \"cuda:77\"\n").expect("written");
    let (exit, text) = code(&["check"]);
    assert_eq!(exit, Some(3), "{text}");
    assert!(text.contains("BAD   device"), "{text}");
}

#[test]
fn reports_print_as_table_csv_and_json() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox);
    sandbox.output(&["grade", folder.to_str().expect("UTF-8")]);
    for name in ["grades", "votes", "daily", "refused", "releases"] {
        let json = sandbox.output(&["report", name, "--format", "json"]);
        let rows: Vec<Value> = serde_json::from_slice(&json.stdout).expect("a JSON array");
        let csv = sandbox.output(&["report", name, "--format", "csv"]);
        assert_eq!(csv::Reader::from_reader(csv.stdout.as_slice()).into_records().count(), rows.len());
        let table = sandbox.output(&["report", name]);
        assert_eq!(String::from_utf8_lossy(&table.stdout).lines().count(), rows.len() + 1, "{name}");
        assert!(!rows.is_empty(), "{name}");
    }
    let (wrong, text) = {
        let output = sandbox.output(&["report", "nonsense"]);
        (output.status.code(), words(&output))
    };
    assert_eq!(wrong, Some(2));
    assert!(text.contains("refused"), "the names there are: {text}");
}

#[test]
fn retry_brings_quarantined_files_back() {
    let plain = format!("{}\n[identity]\nkeep = \"plain\"\n", crate::sandbox::QUICK);
    let sandbox = Sandbox::with(&format!("{plain}[radiographs]\nmax_side = 100\n"));
    sandbox.drop_in("7L.png", &small_png(1));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state = 'quarantined' AND reason_code = 'too-large'", 1);
    daemon.stop(rustix::process::Signal::TERM);
    let side = "SELECT count(*) FROM files WHERE state = 'quarantined' AND side_by_name = 'left'";
    assert_eq!(sandbox.count(side), 1);
    std::fs::write(sandbox.beside("kellgrend.toml"), &plain).expect("written");
    assert_eq!(sandbox.output(&["retry", "ffff"]).status.code(), Some(2));
    let digest = kellgrend::digest::Digest::of(&small_png(1)).short();
    let output = sandbox.output(&["retry", &digest]);
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(crate::sandbox::files_below(&sandbox.state().join("quarantine")).len(), 0);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 1);
    assert_eq!(
        sandbox.count("SELECT count(*) FROM knees WHERE side = 'left'"),
        1,
        "its first name still tells the side"
    );
    assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE name = '7L.png'"), 1, "and is its name");
    assert_eq!(sandbox.count("SELECT count(*) FROM report_refused"), 0, "it is refused no longer");
}

#[test]
fn models_are_imported_verified_shown_and_used() {
    let Some(golden) = shared("golden/shufflenet_v2_x2_0.pt") else { return };
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| {
        let output = sandbox.output(args);
        (output.status.code(), words(&output))
    };
    let file = golden.to_str().expect("UTF-8");
    assert_eq!(run(&["models", "import", file, "--name", "mine", "--note", "ours", "--vote", "soft"]).0, Some(0));
    let (exit, text) = run(&["models", "import", file, "--name", "mine"]);
    assert_ne!(exit, Some(0), "a release is written once: {text}");
    let (_, shown) = run(&["models", "show", "mine"]);
    assert!(shown.contains("shufflenet_v2_x2_0.pt") && shown.contains("soft") && shown.contains("ours"), "{shown}");
    assert_eq!(run(&["models", "use", "mine", "--why", "a test"]).0, Some(0));
    let (_, listed) = run(&["models", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("mine") && line.contains(" in service ")), "{listed}");

    let film = sandbox.beside("a.png");
    std::fs::write(&film, small_png(1)).expect("written");
    let film = film.to_str().expect("UTF-8");
    let of = |args: &[&str]| lines(&sandbox.output(args))[0].clone();
    let mine = of(&["grade", film, "--json"]);
    assert_eq!((&mine["release"], &mine["status"]), (&"mine".into(), &"graded".into()));
    let starter = of(&["grade", film, "--json", "--release", "starter"]);
    assert_eq!(
        (&starter["release"], &starter["status"]),
        (&"starter".into(), &"graded".into()),
        "another release grades anew"
    );
    assert_ne!(mine["probabilities"], starter["probabilities"], "another network answers otherwise");

    // One bit in the weights: named, and nothing is graded with it.
    let weights = sandbox.state().join("models/mine/shufflenet_v2_x2_0.safetensors");
    let mut bytes = std::fs::read(&weights).expect("readable");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).expect("written");
    let (exit, text) = run(&["models", "verify"]);
    assert_eq!(exit, Some(1), "{text}");
    assert!(text.contains("ok    starter") && text.contains("BAD   mine"), "{text}");
    assert_eq!(run(&["grade", film]).0, Some(3));
    assert_eq!(run(&["check"]).0, Some(3));
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let sandbox = Sandbox::new();
    let script = words(&sandbox.output(&["completions", "bash"]));
    let pages = sandbox.beside("man");
    assert!(sandbox.output(&["man", pages.to_str().expect("UTF-8")]).status.success());
    let page = std::fs::read_to_string(pages.join("kellgrend-evaluate.1")).expect("a page");
    assert!(page.contains(".SH NOTES\n.nf\nFields of ") && page.contains("\n.fi\n"), "{page}");
    for command in [
        "run",
        "grade",
        "evaluate",
        "models",
        "report",
        "status",
        "check",
        "bench",
        "demo",
        "retry",
        "completions",
        "man",
    ] {
        assert!(script.contains(&format!("kellgrend__{command}")) || script.contains(command), "{command}");
        assert!(pages.join(format!("kellgrend-{command}.1")).exists(), "{command}");
        let help = sandbox.output(&[command, "--help"]);
        assert!(help.status.success() && help.stdout.len() > 200, "{command} teaches");
    }
}

#[test]
fn the_demo_ends_by_itself_and_tells_every_fate() {
    let sandbox = Sandbox::new();
    let place = sandbox.beside("demo");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    let output = command.args(["demo", "--device", "cpu", "--state"]).arg(&place).output().expect("it starts");
    let text = words(&output);
    assert!(output.status.success(), "{text}");
    for word in ["published", "duplicate", "quarantined", "left", "right", "sqlite3", "overlay.png", "ledger.db"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    // Again: an earlier demo's folder may be reused; another's may not. A user's own folder is taken too.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    let own = folder(&sandbox);
    // names that would be one, and what the daemon passes over
    for (number, name) in ["a/b.png", "a_b.png", ".thumbs/c.png", "d.tmp"].iter().enumerate() {
        let path = own.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, small_png(50 + number as u32)).expect("written");
    }
    let output =
        command.args(["demo", "--device", "cpu", "--state"]).arg(&place).arg(&own).output().expect("it starts");
    assert!(output.status.success(), "{}", words(&output));
    assert!(own.join("1L.png").exists(), "copied, not moved");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    let output = command.args(["demo", "--state"]).arg(&own).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    // films that lie in an earlier demo's folder are not emptied away with it
    let mine = place.join("mine");
    std::fs::create_dir(&mine).expect("made");
    std::fs::write(mine.join("1L.png"), small_png(1)).expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    let output = command.args(["demo", "--state"]).arg(&place).arg(&mine).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    assert!(mine.join("1L.png").exists());
}
