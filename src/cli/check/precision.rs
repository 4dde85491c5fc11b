//! How far the networks, as fast as they are set to be, are from themselves in plain float32.

use crate::config::EnsembleSettings;
use crate::ensemble::{DeviceChoice, Ensemble, Graded, Release, settle};
use crate::networks::Form;
use crate::phantom::{grey8, knee};
use crate::side::Side;

/// What bf16 may make of a probability.
pub(super) const TOLERANCE: f32 = 0.02;

/// The largest difference of any member's probabilities on synthetic knees, whichever way the knees go through: together,
/// alone, overlapping; and more than once, since a recording is made the first time.
pub(super) fn deviation(ensemble: &Ensemble, release: &Release, settings: &EnsembleSettings) -> anyhow::Result<f32> {
    let cpu = settle(DeviceChoice::Cpu, settings.threads)?;
    let reference = Ensemble::load(release, &cpu, Form::Plain, settings.quorum)?.with_maps(false);
    let [light, severe] = [grey8(&knee(1, Side::Right, 0.2)), grey8(&knee(2, Side::Right, 0.8))];
    let expected = reference.grade(&[&light, &severe])?;

    let mut found = Vec::new();
    for _ in 0..2 {
        found.extend(ensemble.grade(&[&light, &severe])?);
    }
    for knee in [&light, &severe, &light, &severe] {
        found.extend(ensemble.grade(&[knee])?);
    }
    let (first, second) = ensemble.go_on(ensemble.begin(&[&light])?, &[&severe]);
    found.extend(first?);
    found.extend(ensemble.finish(second?)?);
    Ok(found.iter().zip(expected.iter().cycle()).map(|(found, expected)| distance(found, expected)).fold(0.0, f32::max))
}

fn distance(a: &Graded, b: &Graded) -> f32 {
    let pairs = a.votes.iter().zip(&b.votes).flat_map(|(a, b)| a.probabilities.0.iter().zip(&b.probabilities.0));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
