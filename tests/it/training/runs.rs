//! Runs by the real binary: shared, killed, failed in part.

use super::{SMALL, labelled};
use crate::sandbox::{Sandbox, files_below, words};
use kellgrend::config::Folders;
use kellgrend::digest::Digest;
use kellgrend::state::State;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub fn knees(sandbox: &Sandbox) -> String {
    let folder = sandbox.beside("knees");
    labelled(&folder, 6);
    folder.to_str().expect("UTF-8").to_owned()
}

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

fn wait_for(path: &Path, child: &mut Child) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{} does not appear", path.display());
        assert!(child.try_wait().expect("its state").is_none(), "it ended before {} was there", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// All that a run leaves behind and that must not depend on how it came about.
pub fn left_behind(sandbox: &Sandbox) -> BTreeMap<String, Digest> {
    let run = sandbox.state().join("training/r");
    let of = |path: PathBuf| {
        Some((path.strip_prefix(&run).ok()?.to_str()?.to_owned(), Digest::of(&std::fs::read(&path).ok()?)))
    };
    let kept = |path: &PathBuf| ["knees.csv", "weights.safetensors"].iter().any(|name| path.ends_with(name));
    files_below(&run).into_iter().filter(kept).filter_map(of).collect()
}

#[test]
fn kill_9_at_five_places_changes_neither_folds_nor_weights() {
    let undisturbed = Sandbox::with(SMALL);
    let output = undisturbed.output(&["train", &knees(&undisturbed), "--name", "r"]);
    assert!(output.status.success(), "{}", words(&output));
    let expected = left_behind(&undisturbed);
    assert_eq!(expected.len(), 3, "{expected:?}");

    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let run = sandbox.state().join("training/r");
    let fit = |fold: usize, name: &str| run.join(format!("fits/shufflenet_v2_x2_0-fold{fold}/{name}"));
    let places = [
        run.join("run.toml"),
        fit(1, "lock"),
        fit(1, "checkpoint.safetensors"),
        fit(2, "lock"),
        fit(2, "checkpoint.safetensors"),
    ];
    for (number, place) in places.iter().enumerate() {
        let begin = ["train", path.as_str(), "--name", "r"];
        let go_on = ["train", "--run", "r"];
        let mut child = start(&sandbox, if number == 0 { &begin } else { &go_on });
        wait_for(place, &mut child);
        child.kill().expect("killed");
        child.wait().expect("gone");
    }
    let output = sandbox.output(&["train", "--run", "r"]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(words(&output).contains("goes on after epoch"), "{}", words(&output));
    assert_eq!(left_behind(&sandbox), expected);

    // the ledger has one row an epoch, however often it was begun
    assert_eq!(sandbox.count("SELECT count(*) FROM report_epochs"), 6);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_fits WHERE state = 'fitted' AND epochs = 3"), 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_training WHERE outcome = 'kept' AND fitted = 2"), 1);
    let again = sandbox.output(&["train", "--run", "r"]);
    assert!(again.status.success() && words(&again).contains("the run has ended"), "{}", words(&again));
}

#[test]
fn processes_side_by_side_share_a_run_and_the_last_one_makes_the_release() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let mut one = start(&sandbox, &["train", &path, "--name", "r", "--set", "epochs=2"]);
    wait_for(&sandbox.state().join("training/r/fits/shufflenet_v2_x2_0-fold1/lock"), &mut one);
    let other = sandbox.output(&["train", "--run", "r", "--only-folds", "2"]);
    assert!(other.status.success(), "{}", words(&other));
    assert!(!words(&other).contains("fold 1 "), "{}", words(&other));
    assert!(one.wait().expect("its end").success());
    assert_eq!(sandbox.count("SELECT count(*) FROM report_fits WHERE state = 'fitted'"), 2);
    assert!(sandbox.state().join("models/r/card.html").exists());
    let release = std::fs::read_to_string(sandbox.state().join("models/r/release.toml")).expect("a release");
    for word in ["fold = ", "temperature = ", "[review]", "out-of-fold answers"] {
        assert!(release.contains(word), "{word:?} is missing in {release}");
    }
    let verified = sandbox.output(&["models", "verify", "r"]);
    assert!(verified.status.success(), "{}", words(&verified));
}

/// A network's last layer as a run's fit left it.
fn last_layer(sandbox: &Sandbox, run: &str, fold: usize) -> Vec<u8> {
    let path = format!("training/{run}/fits/shufflenet_v2_x2_0-fold{fold}/weights.safetensors");
    let bytes = std::fs::read(sandbox.state().join(path)).expect("weights");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    tensors.tensor("fc.weight").expect("a last layer").data().to_vec()
}

/// The fold of each radiograph, by its digest.
fn folds(sandbox: &Sandbox, run: &str) -> BTreeMap<String, String> {
    let path = sandbox.state().join("training").join(run).join("knees.csv");
    let mut table = csv::Reader::from_path(path).expect("a manifest");
    let rows = table.records().map(|row| row.expect("a row"));
    rows.map(|row| (row[0].to_owned(), row[4].to_owned())).collect()
}

#[test]
fn a_network_goes_on_leaving_out_whom_it_left_out() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let run = |args: &[&str]| {
        let output = sandbox.output(args);
        assert!(output.status.success(), "{args:?}: {}", words(&output));
    };
    run(&["train", &path, "--name", "a", "--set", "epochs=1"]);
    run(&["models", "promote", "a"]);
    labelled(Path::new(&path), 9);
    // another seed would deal everybody anew, and at a rate of 0 nothing is learnt
    let on = ["train", &path, "--seed", "77", "--set", "start=release", "--set", "rate=0", "--set", "epochs=1"];
    run(&[&on[..], &["--name", "b"]].concat());

    let (before, after) = (folds(&sandbox, "a"), folds(&sandbox, "b"));
    assert_eq!((before.len(), after.len()), (30, 45));
    assert!(before.iter().all(|(radiograph, fold)| after[radiograph] == *fold));
    let [one, two] = [1, 2].map(|fold| last_layer(&sandbox, "a", fold));
    assert_ne!(one, two);
    assert_eq!([1, 2].map(|fold| last_layer(&sandbox, "b", fold)), [one, two]);
    let card = std::fs::read_to_string(sandbox.state().join("models/b/card.json")).expect("a card");
    assert!(card.contains("each from networks that had not seen it"), "{card}");

    // a release that was made elsewhere may have seen anybody
    run(&["models", "rollback"]);
    run(&[&on[..], &["--name", "c"]].concat());
    let card = std::fs::read_to_string(sandbox.state().join("models/c/card.json")).expect("a card");
    assert!(card.contains("though starter, which they began from, may have"), "{card}");
    assert_ne!(folds(&sandbox, "c"), after);
}

#[test]
fn training_waits_while_anything_is_graded() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let state = State::new(&sandbox.state(), &Folders::default()).expect("folders");
    let priority = state.priority();
    let (first, second) = (priority.grading(), priority.grading());
    let mut child = start(&sandbox, &["train", &path, "--name", "r", "--only-folds", "1", "--set", "epochs=1"]);
    wait_for(&sandbox.state().join("training/r/fits/shufflenet_v2_x2_0-fold1/lock"), &mut child);
    drop(first);
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().expect("its state").is_none(), "it went on while a radiograph was graded");
    assert_eq!(sandbox.count("SELECT count(*) FROM training_epochs"), 0);
    drop(second);
    assert!(child.wait().expect("its end").success());
    assert_eq!(sandbox.count("SELECT count(*) FROM training_epochs"), 1);
}

#[test]
fn what_cannot_be_written_ends_one_fit_and_not_the_run() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let blocked = sandbox.state().join("training/r/fits/shufflenet_v2_x2_0-fold1/checkpoint.safetensors");
    let mut child = start(&sandbox, &["train", &path, "--name", "r"]);
    wait_for(&blocked.with_file_name("lock"), &mut child);
    child.kill().expect("killed");
    child.wait().expect("gone");
    let _ = std::fs::remove_file(&blocked);
    // a file cannot take the place of a folder, as little as it can be written to a full disk
    std::fs::create_dir_all(blocked.join("in the way")).expect("made");
    let output = sandbox.output(&["train", "--run", "r"]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(words(&output).contains("fold 1 has failed: it cannot be written"), "{}", words(&output));
    let failed =
        "SELECT count(*) FROM report_fits WHERE state = 'failed' AND fold = 1 AND reason LIKE '%cannot be written%'";
    assert_eq!(sandbox.count(failed), 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_fits WHERE state = 'fitted' AND fold = 2"), 1);
    assert!(sandbox.state().join("models/r/release.toml").exists(), "the other fold's network is a release");
}

#[test]
fn usage_is_told_before_anything_is_read() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let nobody = sandbox.beside("nobody.txt");
    std::fs::write(&nobody, "").expect("written");
    let nobody = nobody.to_str().expect("UTF-8").to_owned();
    for (args, wanted) in [
        (vec!["train", "--labels"], "has a label"),
        (vec!["train", &path, "--name", "../r"], "the name"),
        (vec!["train", &path, "--only-folds", "7"], "there is no fold 7"),
        (vec!["train", &path, "--set", "epoch=7"], "epoch"),
        (vec!["train", &path, "--networks", "vgg16"], "not a known architecture"),
        (vec!["train", &path, "--gold", &nobody], "none of the knees is in it"),
        (vec!["train", "--run", "nowhere"], "there is no run"),
        (vec!["train"], "required"),
    ] {
        let output = sandbox.output(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", words(&output));
        assert!(words(&output).contains(wanted), "{args:?}: {}", words(&output));
    }
    assert!(!sandbox.state().join("training/r").exists());
}
