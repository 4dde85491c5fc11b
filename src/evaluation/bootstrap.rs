//! How far a score may be from what it would be on all patients there are.

use super::{Case, Confusion};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::BTreeMap;

/// As many draws as leave a percentile's own error far below what it says.
const DRAWS: usize = 2000;

/// Knees by their places, draw by draw: of patients drawn with replacement, each with all of theirs. None of one patient,
/// of whom all draws would be the same.
pub(super) fn draws(cases: &[Case], seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut patients: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (knee, case) in cases.iter().enumerate() {
        patients.entry(case.patient).or_default().push(knee);
    }
    let patients: Vec<_> = patients.into_values().collect();
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    (0..if patients.len() < 2 { 0 } else { DRAWS }).map(move |_| {
        let drawn = (0..patients.len()).map(|_| &patients[chance.random_range(0..patients.len())]);
        drawn.flatten().copied().collect()
    })
}

/// Where the middle 95 % of the draws lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

/// 95 % intervals by a patient-wise bootstrap; none where a score has no value, or all knees are one patient's.
///
/// Patients are drawn with replacement, each with all of their knees: the two knees of one patient are not two witnesses.
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile method).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// Of the accuracy.
    pub accuracy: Option<Interval>,
    /// Of the macro F1.
    pub macro_f1: Option<Interval>,
    /// Of the quadratic kappa.
    pub quadratic_kappa: Option<Interval>,
}

impl Intervals {
    /// The same cases and seed make the same intervals. None where all draws have one score, as where every knee is graded rightly: they do
    /// not say how far from it other patients' are.
    pub fn of(cases: &[Case], seed: u64) -> Self {
        let drawn: Vec<_> =
            draws(cases, seed).map(|knees| Confusion::of(knees.into_iter().map(|knee| &cases[knee]))).collect();
        let of = |score: fn(&Confusion) -> Option<f64>| {
            Interval::of(drawn.iter().filter_map(score).collect()).filter(|Interval { low, high }| low < high)
        };
        Self {
            accuracy: of(Confusion::accuracy),
            macro_f1: of(Confusion::macro_f1),
            quadratic_kappa: of(Confusion::quadratic_kappa),
        }
    }
}

impl Interval {
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)? as f64;
        // between two draws, in proportion
        let percentile = |share: f64| {
            let (place, rest) = ((share * last).floor() as usize, (share * last).fract());
            let next = values[(place + 1).min(values.len() - 1)];
            values[place] + (next - values[place]) * rest
        };
        Some(Self { low: percentile(0.025), high: percentile(0.975) })
    }
}
