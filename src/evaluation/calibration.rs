//! Whether probabilities say how often they are right.

use super::Case;
use crate::grade::GRADES;

/// Bins of equal width between 0 and 1.
pub const BINS: usize = 15;

/// The mean of -ln of the probability that the reader's grade was given; infinite where one was given none.
pub fn log_loss(cases: &[Case]) -> f64 {
    mean(cases, |case| -f64::from(case.probabilities.0[case.truth.index()]).ln())
}

/// The mean squared distance between the five probabilities and the truth: 0 at best, 2 at worst.
///
/// Source: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950;78:1.
pub fn brier(cases: &[Case]) -> f64 {
    mean(cases, |case| {
        let truth = |grade: usize| f64::from(u8::from(grade == case.truth.index()));
        (0..GRADES).map(|grade| (f64::from(case.probabilities.0[grade]) - truth(grade)).powi(2)).sum()
    })
}

/// Knees whose most probable grade is about equally probable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub knees: u64,
    /// The sum of those probabilities: how many ought to be right.
    pub expected: f64,
    /// How many are of that grade.
    pub right: u64,
}

impl Bin {
    /// The mean of the probabilities; none where there is no knee.
    pub fn probability(&self) -> Option<f64> {
        (self.knees > 0).then(|| self.expected / self.knees as f64)
    }

    /// The share that is right; none where there is no knee.
    pub fn accuracy(&self) -> Option<f64> {
        (self.knees > 0).then(|| self.right as f64 / self.knees as f64)
    }
}

/// The cases in 15 bins by the probability of their most probable grade, whatever the vote made of it.
pub fn bins(cases: &[Case]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for case in cases {
        let answer = case.probabilities.argmax();
        let sure = f64::from(case.probabilities.0[answer.index()]);
        let bin = &mut bins[((sure * BINS as f64) as usize).min(BINS - 1)];
        bin.knees += 1;
        bin.expected += sure;
        bin.right += u64::from(answer == case.truth);
    }
    bins
}

/// The expected calibration error: how far the largest probability is from the share of right answers, over 15 bins.
///
/// Source: Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
pub fn calibration_error(cases: &[Case]) -> f64 {
    bins(cases).into_iter().map(|bin| (bin.expected - bin.right as f64).abs()).sum::<f64>() / cases.len() as f64
}

fn mean(cases: &[Case], of: impl Fn(&Case) -> f64) -> f64 {
    cases.iter().map(of).sum::<f64>() / cases.len() as f64
}
