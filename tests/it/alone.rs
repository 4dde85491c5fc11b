//! A whole retrain with nobody there: films, labels, schedule, gate, another release at work. Tests begin in the order of their names:
//! this one waits for a whole minute, and while it does, others go on, as they do beside `kept_out`.

use crate::films::png;
use crate::sandbox::{Sandbox, words};
use crate::training::{SMALL, knee, labelled};
use kellgrend::digest::Digest;
use rustix::process::Signal;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

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

const STARTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/shufflenet_v2_x2_0.safetensors");

/// As `SMALL`, by the schedule, and with knees set apart for the gate.
pub fn settings() -> String {
    SMALL
        .replace("[training]\n", &format!("[training]{SCHEDULE}"))
        .replace("folds = 2", "folds = 5")
        .replace("gold_share = 0.0", "gold_share = 0.3")
        // who gives all knees one grade finds every knee of that grade
        .replace("[training.adjust]\n", "[training.gate]\nrecall_drop = 1.0\n[training.adjust]\n")
}

pub fn succeeds(sandbox: &Sandbox, args: &[&str]) {
    let output = sandbox.output(args);
    assert!(output.status.success(), "{}", words(&output));
}

/// Films come, and then a list of what readers say of them.
pub fn sixty_films_and_labels(sandbox: &Sandbox) {
    let (films, list) = films(0..12, |grade| grade);
    films.iter().for_each(|(name, film)| sandbox.drop_in(name, film));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 60);
    drop_list(sandbox, "readers.csv", &list);
    sandbox.until("SELECT count(*) FROM labels", 60);
}

pub const OF_SCHEDULE: &str = "SELECT count(*) FROM report_training WHERE origin = 'schedule' AND ended_at IS NOT NULL";
pub const MINUTES: Duration = Duration::from_secs(900);

#[test]
fn it_learns_alone_what_the_readers_say() {
    let settings = settings()
        // in two epochs of thirty knees networks learn much or little, by the order in which these came
        .replace("recall_drop = 1.0\n", "recall_drop = 1.0\nmargin = -0.9\n")
        .replace("networks = [\"shufflenet_v2_x2_0\"]", "networks = [\"shufflenet_v2_x2_0\", \"efficientnet_v2_s\"]")
        .replace("start = \"scratch\"", "start = \"release\"")
        .replace("epochs = 3", "epochs = 2\nrate = 0.001\nkeep = \"best\"");
    let sandbox = Sandbox::with(&settings);

    // a champion by hand: one network knows radiographs, the other one nothing
    let folder = sandbox.beside("knees");
    labelled(&folder, 12);
    let folder = folder.to_str().expect("UTF-8");
    let untaught = ["train", folder, "--name", "untaught", "--recipe", "scratch", "--networks", "efficientnet_v2_s"];
    succeeds(&sandbox, &[&untaught[..], &["--only-folds", "1", "--set", "epochs=1"]].concat());
    let weights = sandbox.state().join("models/untaught/efficientnet_v2_s.safetensors");
    let weights = weights.to_str().expect("UTF-8");
    succeeds(&sandbox, &["models", "import", "--name", "first", "--image-size", "64", "--zoom", "1", STARTER, weights]);
    succeeds(&sandbox, &["models", "promote", "first", "--why", "somebody must begin"]);

    let mut daemon = sandbox.daemon();
    daemon.ready();
    sixty_films_and_labels(&sandbox);
    let began = Instant::now();
    sandbox.until_within(OF_SCHEDULE, 1, MINUTES);
    println!("{}", words(&sandbox.output(&["report", "fits"])));
    println!("{}", words(&sandbox.output(&["report", "training", "--format", "json"])));
    assert_eq!(sandbox.count(&format!("{OF_SCHEDULE} AND fitted = 10 AND outcome = 'promoted'")), 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM training_slots WHERE decision = 'begun'"), 1);
    let newest = "SELECT release FROM training_runs WHERE origin = 'schedule'";
    let run: String = sandbox.ledger().query_row(newest, [], |row| row.get(0)).expect("a name");
    let card = std::fs::read_to_string(sandbox.state().join("models").join(&run).join("card.html")).expect("a card");
    assert!(card.contains("NOT A MEDICAL DEVICE") && card.contains("It passes the gate."));

    // the next film is graded by the new release, by the same process
    sandbox.until("SELECT count(*) FROM starts WHERE command = 'run'", 2);
    sandbox.drop_in("next.png", &png(&knee(9_999, 4)));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 61);
    println!("{:.0} s from the readers' list to the first grade of the new release", began.elapsed().as_secs_f64());
    let by_new = format!("SELECT count(*) FROM report_grades WHERE release = '{run}' AND needs_review IN (0, 1)");
    assert_eq!(sandbox.count(&by_new), 1);
    assert!(daemon.is_alive());
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
        let began = Instant::now();
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
    grades_by("starter");
    succeeds(&sandbox, &["models", "promote", "other", "--why", "a trial"]);
    grades_by("other");
    succeeds(&sandbox, &["models", "rollback", "--why", "it was worse"]);
    grades_by("starter");
    let again = sandbox.output(&["models", "rollback"]);
    assert_eq!(again.status.code(), Some(2), "nothing was there before the starter: {}", words(&again));
    let told = "SELECT count(*) FROM report_service WHERE why = 'it was worse' AND release = 'starter' AND who <> ''";
    assert_eq!(sandbox.count(told), 1);
    daemon.stop(Signal::TERM);
}
