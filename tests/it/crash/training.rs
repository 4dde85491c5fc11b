//! A training, from its beginning to a release in service.

use super::calls::Calls;
use super::tracer::{End, Plan, Report, Traced};
use super::{copy_of, every, kill_at_steps, leftovers};
use crate::sandbox::{Sandbox, files_below, words};
use crate::training::SMALL;
use crate::training::runs::{knees, left_behind};
use kellgrend::digest::Digest;
use std::collections::BTreeMap;

/// One epoch, and a gate that anything may pass.
fn settings() -> String {
    SMALL
        .replace("gold_share = 0.0", "gold_share = 0.3")
        .replace(
            "[training.adjust]\n",
            "[training.gate]\nrecall_drop = 1.0\npatients = 1\nmargin = -1.0\n[training.adjust]\n",
        )
        .replace("epochs = 3", "epochs = 1")
}

const GO_ON: [&str; 3] = ["train", "--run", "r"];

fn begin(path: &str) -> [&str; 5] {
    ["train", path, "--name", "r", "--promote"]
}

/// A training that was killed goes on, and comes to what it would have come to: the same weights, and one release, in service.
fn goes_on(sandbox: &Sandbox, path: &str, expected: &BTreeMap<String, Digest>, what: &str) {
    let is_begun = sandbox.state().join("training/r").exists();
    let output = if is_begun { sandbox.output(&GO_ON) } else { sandbox.output(&begin(path)) };
    assert!(output.status.success(), "{what}: {}", words(&output));
    assert_eq!(left_behind(sandbox), *expected, "{what}");
    for (sql, wanted) in [
        ("SELECT count(*) FROM report_epochs", 2),
        ("SELECT count(*) FROM report_fits WHERE state = 'fitted'", 2),
        ("SELECT count(*) FROM report_training WHERE outcome = 'promoted'", 1),
        ("SELECT count(*) FROM report_releases", 2),
        ("SELECT count(*) FROM report_releases WHERE in_service AND name = 'r'", 1),
        ("SELECT count(*) FROM service", 2),
    ] {
        assert_eq!(sandbox.count(sql), wanted, "{what}: {sql}");
    }
    let voter = sandbox.state().join("models/r/shufflenet_v2_x2_0.safetensors");
    let voter = Digest::of(&std::fs::read(voter).expect("weights"));
    assert!(expected.values().any(|weights| *weights == voter), "{what}: the voter is none of the fits");
    let state = sandbox.state();
    let below = files_below(&state).into_iter().filter_map(|path| Some(path.strip_prefix(&state).ok()?.to_owned()));
    let rubble: Vec<_> =
        below.filter(|path| path.iter().any(|name| name.as_encoded_bytes().starts_with(b"."))).collect();
    assert!(rubble.is_empty(), "{what}: {rubble:?}");
}

#[test]
fn a_training_that_was_killed_or_lost_its_power_comes_to_the_same_end() {
    let settings = settings();
    let undisturbed = Sandbox::with(&settings);
    let path = knees(&undisturbed);
    let watched = Traced::start(&undisturbed, &begin(&path), Plan::watched(Calls::Durable));
    let Some(Report { steps, end, .. }) = watched.ended() else { return };
    assert_eq!(end, End::Exited(0), "{}", undisturbed.log());
    let expected = left_behind(&undisturbed);
    assert_eq!(expected.len(), 3, "{expected:?}");
    goes_on(&undisturbed, &path, &expected, "undisturbed");

    let kill = |sandbox: &Sandbox, args: &[&str], step: usize| {
        let unpowered = Sandbox::with(&settings);
        let report = Traced::start(sandbox, args, Plan::killed_before(step, &unpowered)).ended()?;
        Some((report, unpowered))
    };
    let kill_and_go_on = |sandbox: Sandbox, args: &[&str], step: usize| {
        let (report, unpowered) = kill(&sandbox, args, step)?;
        for (left, what) in leftovers(step, &report, &sandbox, &unpowered) {
            goes_on(left, &path, &expected, &what);
        }
        Some(report)
    };
    // once all fits have ended, there is little left to repeat
    let release = steps.iter().position(|words| words.contains("training/r/release")).expect("a release");
    let fitted = Sandbox::with(&settings);
    kill(&fitted, &begin(&path), release + 1).expect("traced as before");
    let of_fits = kill_at_steps((1..=release).step_by(every(1)), |step| {
        kill_and_go_on(Sandbox::with(&settings), &begin(&path), step)
    });
    let of_release =
        kill_at_steps((1..).step_by(every(1)), |step| kill_and_go_on(copy_of(&fitted, &settings), &GO_ON, step));
    let (Some(of_fits), Some(of_release)) = (of_fits, of_release) else { return };
    println!("killed or without power before {of_fits} durable steps of fits, {of_release} of a release");
    assert!(of_fits * every(1) >= 50 && of_release * every(1) >= 25, "the tracer does not see them");
}
