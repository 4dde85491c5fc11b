//! A whole retrain with nobody there: films, labels, schedule, gate, another release at work; and one that is kept out. Tests begin
//! in the order of their names: this one waits for whole minutes, and while it does, others go on.

use crate::films::png;
use crate::sandbox::{Sandbox, words};
use crate::training::{SMALL, knee, labelled};
use kellgrend::digest::Digest;
use rustix::process::Signal;
use std::fmt::Write as _;
use std::time::Duration;

/// Every minute, as soon as there are labels.
const SCHEDULE: &str = r#"
schedule = "* * * * *"
labels = 60
pause = "1s"
"#;

const GRADES: [u8; 5] = [0, 1, 2, 3, 4];

/// A list of labels for knees of these numbers, and the films themselves.
fn films(numbers: std::ops::Range<u64>, reads: impl Fn(u8) -> u8) -> (Vec<(String, Vec<u8>)>, String) {
    let mut list = "sha256,grade,reader\n".to_owned();
    let mut films = Vec::new();
    for number in numbers {
        for grade in GRADES {
            // other bytes than those of the folder's knees
            let mut knee = knee(u64::from(grade) * 1000 + number, grade);
            knee.put_pixel(0, 0, image::Luma([u8::MAX]));
            let film = png(&knee);
            writeln!(list, "{},{},R1", Digest::of(&film), reads(grade)).expect("written");
            films.push((format!("{number}-{grade}.png"), film));
        }
    }
    (films, list)
}

fn drop_list(sandbox: &Sandbox, name: &str, list: &str) {
    std::fs::write(sandbox.state().join("labels").join(name), list).expect("dropped");
}

#[test]
fn it_learns_alone_and_keeps_out_what_is_worse() {
    let settings = SMALL
        .replace("[training]\n", &format!("[training]{SCHEDULE}"))
        .replace("folds = 2", "folds = 5")
        .replace("gold_share = 0.0", "gold_share = 0.3")
        .replace("networks = [\"shufflenet_v2_x2_0\"]", "networks = [\"shufflenet_v2_x2_0\", \"efficientnet_v2_s\"]")
        // who gives all knees one grade finds every knee of that grade; and networks this small may learn little more
        .replace(
            "[training.adjust]\n",
            "[training.gate]\nrecall_drop = 1.0\npatients = 2\nmargin = -0.9\n[training.adjust]\n",
        )
        .replace("epochs = 3", "epochs = 2\nrate = 0.002\nkeep = \"best\"");
    let hopeless = settings
        .replace("rate = 0.002", "rate = 0.0")
        .replace("epochs = 2", "epochs = 1")
        .replace("margin = -0.9", "margin = 0.0");

    // a champion that has learnt nothing, put into service by hand
    let sandbox = Sandbox::with(&hopeless.replace("gold_share = 0.3", "gold_share = 0.0"));
    let folder = sandbox.beside("knees");
    labelled(&folder, 12);
    let folder = folder.to_str().expect("UTF-8");
    let run =
        sandbox.output(&["train", folder, "--name", "poor", "--networks", "shufflenet_v2_x2_0", "--only-folds", "1"]);
    assert!(run.status.success(), "{}", words(&run));
    let promoted = sandbox.output(&["models", "promote", "poor", "--why", "somebody must begin"]);
    assert!(promoted.status.success(), "{}", words(&promoted));

    std::fs::write(sandbox.beside("kellgrend.toml"), &settings).expect("settings");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let (films, list) = films(0..12, |grade| grade);
    films.iter().for_each(|(name, film)| sandbox.drop_in(name, film));
    drop_list(&sandbox, "readers.csv", &list);
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", films.len() as i64);
    sandbox.until("SELECT count(*) FROM labels", films.len() as i64);

    let ended = "SELECT count(*) FROM report_training WHERE origin = 'schedule' AND ended_at IS NOT NULL";
    let minutes = Duration::from_secs(900);
    sandbox.until_within(ended, 1, minutes);
    println!("{}", words(&sandbox.output(&["report", "fits"])));
    println!("{}", words(&sandbox.output(&["report", "training", "--format", "json"])));
    let of_schedule = "SELECT count(*) FROM report_training WHERE origin = 'schedule' AND fitted = 10 AND outcome = ";
    assert_eq!(sandbox.count(&format!("{of_schedule}'promoted'")), 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM training_slots WHERE decision = 'begun'"), 1);
    let newest = "SELECT release FROM training_runs WHERE origin = 'schedule'";
    let run: String = sandbox.ledger().query_row(newest, [], |row| row.get(0)).expect("a name");
    let card = std::fs::read_to_string(sandbox.state().join("models").join(&run).join("card.html")).expect("a card");
    assert!(card.contains("NOT A MEDICAL DEVICE") && card.contains("It passes the gate."));

    // the next film is graded by the new release, by the same process
    sandbox.until("SELECT count(*) FROM starts WHERE command = 'run'", 2);
    sandbox.drop_in("next.png", &png(&knee(9_999, 4)));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", films.len() as i64 + 1);
    let by_new = format!("SELECT count(*) FROM report_grades WHERE release = '{run}' AND needs_review IN (0, 1)");
    assert_eq!(sandbox.count(&by_new), 1);
    assert!(daemon.is_alive());
    daemon.stop(Signal::TERM);

    // networks that learn nothing are worse, and labels enough have come
    std::fs::write(sandbox.beside("kellgrend.toml"), hopeless).expect("settings");
    drop_list(&sandbox, "second.csv", &list.replace("R1", "R2"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until_within(ended, 2, minutes);
    assert_eq!(sandbox.count(&format!("{of_schedule}'kept'")), 1);
    let service = "SELECT count(*) FROM report_releases WHERE in_service AND name = ";
    assert_eq!(sandbox.count(&format!("{service}'{run}'")), 1, "the champion stays");
    daemon.stop(Signal::TERM);
}

/// As the daemon starts it: what keeps a training from beginning is on record, and it is not tried again at once.
#[test]
fn what_was_due_and_cannot_begin_says_why() {
    let sandbox = Sandbox::with(SMALL);
    let slot = "2026-11-20T22:00:00Z";
    let output = sandbox.output(&["train", "--labels", "--unattended", "--slot", slot]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
    let said = "SELECT count(*) FROM training_slots WHERE decision LIKE 'failed: no graded knee has a label%'";
    assert_eq!(sandbox.count(said), 1);
}

#[test]
fn a_release_is_promoted_and_rolled_back_between_two_radiographs() {
    let sandbox = Sandbox::with(SMALL);
    let starter = sandbox.beside("state/models/starter/shufflenet_v2_x2_0.safetensors");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let imported = sandbox.output(&[
        "models",
        "import",
        &format!("shufflenet_v2_x2_0={}", starter.display()),
        "--name",
        "other",
        "--image-size",
        "64",
    ]);
    assert!(imported.status.success(), "{}", words(&imported));
    let mut graded = 0;
    let mut grades_by = |release: &str| {
        let ready = format!("release=\"{release}\"");
        let began = std::time::Instant::now();
        while !daemon
            .log()
            .lines()
            .rev()
            .find(|line| line.contains("ready to grade"))
            .is_some_and(|line| line.contains(&ready))
        {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        // the desk is changed once the networks are ready
        std::thread::sleep(Duration::from_millis(500));
        graded += 1;
        sandbox.drop_in(&format!("{graded}.png"), &png(&knee(graded, 2)));
        sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", graded as i64);
        let last = "SELECT release FROM report_grades LIMIT 1";
        let last: String = sandbox.ledger().query_row(last, [], |row| row.get(0)).expect("a grade");
        assert_eq!(last, release);
    };
    let models = |args: &[&str]| {
        let output = sandbox.output(args);
        assert!(output.status.success(), "{}", words(&output));
    };
    grades_by("starter");
    models(&["models", "promote", "other", "--why", "a trial"]);
    grades_by("other");
    models(&["models", "rollback", "--why", "it was worse"]);
    grades_by("starter");
    let again = sandbox.output(&["models", "rollback"]);
    assert_eq!(again.status.code(), Some(2), "nothing was there before the starter: {}", words(&again));
    let told = "SELECT count(*) FROM report_service WHERE why = 'it was worse' AND release = 'starter' AND who <> ''";
    assert_eq!(sandbox.count(told), 1);
    daemon.stop(Signal::TERM);
}
