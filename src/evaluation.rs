//! How good grades are, measured against readers': pure arithmetic, equal to scikit-learn's.

mod bootstrap;
mod calibration;
mod confusion;
mod paired;
mod ranking;
mod scores;

pub use bootstrap::{Interval, Intervals};
pub use calibration::{BINS, Bin, bins};
pub use confusion::Confusion;
pub use paired::{Comparison, Difference};
pub use ranking::{Place, Ranking};
pub use scores::{OfGrade, Scores};

use crate::grade::{KlGrade, Probabilities};
use std::collections::HashMap;

/// A number for each name, the same for the same, in the order in which they first come.
pub fn numbered<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let number = |name| {
        let next = numbers.len();
        *numbers.entry(name).or_insert(next)
    };
    names.into_iter().map(number).collect()
}

/// A knee that was graded and that a reader has graded, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Whose knee it is, by a number: one patient's knees are alike, and so are their errors.
    pub patient: usize,
    /// What the reader says.
    pub truth: KlGrade,
    /// What is judged.
    pub grade: KlGrade,
    /// The probabilities behind it.
    pub probabilities: Probabilities,
}
