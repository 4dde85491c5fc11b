//! How far a score may be from what it would be on all patients there are.

use super::{Case, Confusion};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::BTreeMap;

/// As many draws as leave a percentile's own error far below what it says.
pub(super) const DRAWS: usize = 2000;

/// Where the middle 95 % of the draws lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

/// 95 % intervals by a patient-wise bootstrap; none where a score has no value.
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
    /// The same cases and seed make the same intervals.
    pub fn of(cases: &[Case], seed: u64) -> Self {
        let mut patients: BTreeMap<usize, Confusion> = BTreeMap::new();
        for case in cases {
            patients.entry(case.patient).or_default().add(&Confusion::of([case]));
        }
        let patients: Vec<_> = patients.into_values().collect();
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let draws = if patients.is_empty() { 0 } else { DRAWS };
        let drawn: Vec<Confusion> = (0..draws)
            .map(|_| {
                let mut sum = Confusion::default();
                for _ in 0..patients.len() {
                    sum.add(&patients[chance.random_range(0..patients.len())]);
                }
                sum
            })
            .collect();
        let of = |score: fn(&Confusion) -> Option<f64>| Interval::of(drawn.iter().filter_map(score).collect());
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
