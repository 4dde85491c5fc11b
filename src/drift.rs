//! Whether what a release says has changed since its first weeks here, or in the last months: pure statistics, equal to SciPy's.
//!
//! A change may lie in the patients, in how they are filmed, or in what the films are made with; none of it is told apart
//! here. Knees count as if they were independent of each other. Two of one patient are not, so that small changes seem a
//! little surer than they are: look at the size before the p-value.

mod fisher;
mod holm;
mod homogeneity;
mod ranks;
mod spans;

pub use holm::holm;
pub use homogeneity::{homogeneity, homogeneity_of_ordered};
pub use ranks::ranks;
pub use spans::{Against, MONTHS, RECENT, REFERENCE, Span, Spans};

use crate::grade::GRADES;

/// A change is told where chance alone would make one as large in one look of a hundred, whichever of the four it is in.
pub const ALPHA: f64 = 0.01;

/// The verdict where there is no finding.
pub const TOO_LITTLE: &str = "too little to tell";

/// What a release said in some weeks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// How many knees it gave each grade.
    pub grades: [u64; GRADES],
    /// The entropy of each knee's probabilities, in bits.
    pub entropies: Vec<f64>,
    /// The share of the members that agreed, of each knee.
    pub agreements: Vec<f64>,
    /// Radiographs that were published.
    pub published: u64,
    /// Files that were refused meanwhile.
    pub refused: u64,
}

/// One difference of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Chi-squared, or Mann and Whitney's U of the first sample.
    pub statistic: f64,
    /// How often chance alone makes it as large.
    pub p: f64,
    /// How large it is, whatever the number of knees: Cramer's V, 0 to 1; or the rank-biserial correlation, -1 to 1, above 0
    /// where the second sample is higher.
    pub size: f64,
}

/// A difference, and its p-value as one of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The difference.
    pub difference: Difference,
    /// Its p-value by Holm's correction.
    pub adjusted: f64,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// The mix of grades; none here and below where there is too little to tell, or nothing that could differ.
    pub grades: Option<Finding>,
    /// The entropy.
    pub entropy: Option<Finding>,
    /// The agreement.
    pub agreement: Option<Finding>,
    /// The share of files that were refused.
    pub refusals: Option<Finding>,
}

impl Drift {
    /// Compares what was said recently with what was said before.
    pub fn of(reference: &Sample, recent: &Sample) -> Self {
        let refusals = |sample: &Sample| [sample.published, sample.refused];
        let differences = [
            homogeneity_of_ordered(&reference.grades, &recent.grades),
            ranks(&reference.entropies, &recent.entropies),
            ranks(&reference.agreements, &recent.agreements),
            homogeneity(&refusals(reference), &refusals(recent)),
        ];
        let adjusted = holm(&differences.iter().flatten().map(|difference| difference.p).collect::<Vec<_>>());
        let mut adjusted = adjusted.into_iter();
        let [grades, entropy, agreement, refusals] = differences.map(|difference| {
            difference.and_then(|difference| Some(Finding { difference, adjusted: adjusted.next()? }))
        });
        Self { grades, entropy, agreement, refusals }
    }
}

impl Finding {
    /// Whether it is more than chance.
    pub fn is_change(&self) -> bool {
        self.adjusted < ALPHA
    }

    /// Whether it is more than chance, in words.
    pub fn verdict(&self) -> &'static str {
        if self.is_change() { "changed" } else { "as before" }
    }

    /// Its size in a word.
    ///
    /// Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition 1988, chapters 3 and 7: 0.1, 0.3
    /// and 0.5, of correlations as of tables with two rows.
    pub fn magnitude(&self) -> &'static str {
        match self.difference.size.abs() {
            size if size < 0.1 => "negligible",
            size if size < 0.3 => "small",
            size if size < 0.5 => "medium",
            _ => "large",
        }
    }
}
