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
    // all that chance decides, drawn in every epoch, and what is taken from the beginning at the end
    const CHANCES: &str = "--set passes=2 --set small_epochs=1 --set mix=0.4 --set start=release --set blend=0.3";
    let begin = |path| ["train", path, "--name", "r"].into_iter().chain(CHANCES.split(' ')).collect::<Vec<&str>>();
    let path = knees(&undisturbed);
    let output = undisturbed.output(&begin(&path));
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
        let mut child = start(&sandbox, &if number == 0 { begin(&path) } else { vec!["train", "--run", "r"] });
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

/// What is shown of a fit is what is kept of it: the best epoch, or the last where the recipe keeps that.
#[test]
fn a_fit_is_shown_at_the_epoch_that_is_kept() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    for name in ["best", "last"] {
        let keep = format!("keep={name}");
        let args = ["train", &path, "--name", name, "--only-folds", "1", "--set", "epochs=2", "--set", &keep];
        assert!(sandbox.output(&args).status.success());
    }
    // so few epochs are a matter of luck: in both runs the first is to have been the best
    let ledger = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    ledger.execute("UPDATE training_epochs SET is_best = (epoch = 1)", []).expect("written");
    let shown = |run: &str, epoch: u8| {
        sandbox.count(&format!(
            "SELECT count(*) FROM report_fits f JOIN report_epochs e USING (run, network, fold) \
             WHERE run = '{run}' AND f.epochs = 2 AND f.kept_epoch = {epoch} AND e.epoch = {epoch} AND f.loss = round(e.loss, 4)"
        ))
    };
    assert_eq!((shown("best", 1), shown("last", 2)), (1, 1));
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

/// A run of which no fit can keep an epoch, so that all of them fail.
#[test]
fn a_run_that_failed_goes_on_once_it_can() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let fits = sandbox.state().join("training/r/fits");
    let blocked = |fold: usize| fits.join(format!("shufflenet_v2_x2_0-fold{fold}/checkpoint.safetensors"));
    let mut child = start(&sandbox, &["train", &path, "--name", "r"]);
    wait_for(&blocked(1).with_file_name("lock"), &mut child);
    child.kill().expect("killed");
    child.wait().expect("gone");
    for fold in [1, 2] {
        let _ = std::fs::remove_file(blocked(fold));
        std::fs::create_dir_all(blocked(fold).join("in the way")).expect("made");
    }
    let output = sandbox.output(&["train", "--run", "r"]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_training WHERE outcome = 'failed'"), 1);

    for fold in [1, 2] {
        std::fs::remove_dir_all(blocked(fold)).expect("removed");
    }
    let output = sandbox.output(&["train", "--run", "r", "--again"]);
    assert!(output.status.success() && sandbox.state().join("models/r").exists(), "{}", words(&output));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_training WHERE outcome = 'kept' AND fitted = 2"), 1);
    let made = sandbox.output(&["train", "--run", "r", "--again"]);
    assert!(made.status.code() == Some(2) && words(&made).contains("begin another run"), "{}", words(&made));
}

#[test]
fn a_release_of_the_same_name_is_not_taken_for_the_runs() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let mut child = start(&sandbox, &["train", &path, "--name", "r"]);
    wait_for(&sandbox.state().join("training/r/fits/shufflenet_v2_x2_0-fold1/lock"), &mut child);
    child.kill().expect("killed");
    child.wait().expect("gone");
    let starter = sandbox.beside("state/models/starter/shufflenet_v2_x2_0.safetensors");
    let imported = sandbox.output(&["models", "import", starter.to_str().expect("UTF-8"), "--name", "r"]);
    assert!(imported.status.success(), "{}", words(&imported));

    let output = sandbox.output(&["train", "--run", "r", "--promote"]);
    assert!(!output.status.success() && words(&output).contains("is not what this run made"), "{}", words(&output));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_service WHERE release = 'r'"), 0);
    std::fs::rename(sandbox.state().join("models/r"), sandbox.beside("elsewhere")).expect("moved away");
    let output = sandbox.output(&["train", "--run", "r"]);
    assert!(output.status.success() && words(&output).contains("release   r:"), "{}", words(&output));
}

/// Otherwise the ledger would say that one release is in service, and another one would grade.
#[test]
fn nothing_is_promoted_where_the_settings_name_what_grades() {
    let lenient = "[training.gate]\nscore = \"accuracy\"\nmargin = -1.0\npatients = 2\nrecall_drop = 1.0\n";
    let pinned = SMALL.replace("[ensemble]\n", "[ensemble]\nrelease = \"starter\"\n");
    let sandbox = Sandbox::with(&format!("{}{lenient}", pinned.replace("gold_share = 0.0", "gold_share = 0.3")));
    let output = sandbox.output(&["train", &knees(&sandbox), "--name", "r", "--promote", "--set", "epochs=1"]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(words(&output).contains("What grades is starter, by [ensemble] release"), "{}", words(&output));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_service WHERE release = 'r'"), 0);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_training WHERE reasons LIKE '%The settings say%'"), 1);
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
