//! A training, from its beginning to a release in service.

use super::copy_of;
use super::left::Copies;
use super::tracer::{End, Moment, Report, Traced};
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
            "[training.gate]\nrecall_drop = 1.0\npatients = 2\nmargin = -1.0\n[training.adjust]\n",
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
        ("SELECT count(*) FROM report_epochs", 3),
        ("SELECT count(*) FROM report_fits WHERE state = 'fitted'", 3),
        ("SELECT count(*) FROM report_training WHERE outcome = 'promoted'", 2),
        ("SELECT count(*) FROM report_releases", 3),
        ("SELECT count(*) FROM report_releases WHERE in_service AND name = 'r'", 1),
        ("SELECT count(*) FROM service", 3),
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

/// What it has done, and all that it would have left behind at the moments that are wanted.
fn trace(sandbox: &Sandbox, args: &[&str], settings: &str, wants: fn(&Moment) -> bool) -> Option<(Report, Copies)> {
    let copies = Copies::new(settings);
    let report = Traced::start(sandbox, args, copies.plan(wants)).ended()?;
    assert_eq!(report.end, End::Exited(0), "{}", sandbox.log());
    Some((report, copies))
}

/// It has made its release, or is about to, once the fits have ended.
fn has_fitted(moment: &Moment) -> bool {
    moment.state.join("training/r/release").exists() || moment.call.contains("training/r/release")
}

#[test]
fn a_training_that_was_killed_or_lost_its_power_comes_to_the_same_end() {
    let settings = settings();
    // a first one, whose release the next one is held against: it is quick to grade
    let prepared = Sandbox::bare(&settings);
    let path = knees(&prepared);
    let first = ["train", &path, "--name", "first", "--promote", "--seed", "2", "--only-folds", "1"];
    let is_new = |moment: &Moment| !moment.state.join("training/first").exists();
    let Some((_, of_start)) =
        trace(&prepared, &first, &settings.replace("gold_share = 0.3", "gold_share = 0.0"), is_new)
    else {
        return;
    };
    let of_start = of_start.check(|left| {
        let output = left.sandbox.output(&first);
        assert!(output.status.success(), "{}: {}", left.what, words(&output));
        assert_eq!(left.sandbox.count("SELECT count(*) FROM report_fits WHERE state = 'fitted'"), 1, "{}", left.what);
    });

    let sandbox = copy_of(&prepared, &settings);
    let (report, of_fits) = trace(&sandbox, &begin(&path), &settings, |moment| !has_fitted(moment)).expect("as before");
    let expected = left_behind(&sandbox);
    assert_eq!(expected.len(), 3, "{expected:?}");
    goes_on(&sandbox, &path, &expected, "undisturbed");
    assert!(report.steps.iter().any(|step| step.contains("training/r/release")), "{:?}", report.steps);
    // what goes on may be killed again
    let fitted = of_fits.last();
    let of_fits = of_fits.check(|left| goes_on(&left.sandbox, &path, &expected, &left.what));
    let (_, of_release) = trace(&fitted.sandbox, &GO_ON, &settings, |_| true).expect("as before");
    let of_release = of_release.check(|left| goes_on(&left.sandbox, &path, &expected, &left.what));
    println!(
        "killed or without power before {of_start} durable steps of a start, {of_fits} of fits, {of_release} of a release"
    );
    assert!(of_start >= 20 && of_fits >= 30 && of_release >= 25, "the tracer does not see them");
}
