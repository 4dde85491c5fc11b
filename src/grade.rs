//! The Kellgren-Lawrence grade, probabilities over it, and one member's vote.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How many grades there are: 0, 1, 2, 3 and 4.
pub const GRADES: usize = 5;

/// A Kellgren-Lawrence grade, 0 (no osteoarthritis) to 4 (severe).
///
/// Source: Kellgren and Lawrence, "Radiological assessment of osteo-arthrosis", Ann Rheum Dis 1957;16:494.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct KlGrade(u8);

impl KlGrade {
    /// All grades in ascending order.
    pub const ALL: [Self; GRADES] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// The grade as an index into an array of [`GRADES`] values.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// What the grade is called in a radiologist's report.
    pub fn meaning(self) -> &'static str {
        ["no osteoarthritis", "doubtful", "mild", "moderate", "severe"][self.index()]
    }
}

impl TryFrom<u8> for KlGrade {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        Self::ALL
            .get(usize::from(value))
            .copied()
            .ok_or_else(|| format!("{value} is not a Kellgren-Lawrence grade (0 to 4)"))
    }
}

impl From<KlGrade> for u8 {
    fn from(grade: KlGrade) -> u8 {
        grade.0
    }
}

impl fmt::Display for KlGrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Five probabilities, by grade; they sum to one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probabilities(pub [f32; GRADES]);

impl Probabilities {
    /// Softmax of five finite logits divided by a temperature above 0: 1 leaves them as they are, more makes them less sure.
    ///
    /// Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, <https://arxiv.org/abs/1706.04599>.
    pub fn softmax(logits: [f32; GRADES], temperature: f32) -> Self {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // divided after the largest is gone, so that nothing overflows
        let exps = logits.map(|logit| ((logit - max) / temperature).exp());
        let sum: f32 = exps.iter().sum();
        Self(exps.map(|exp| exp / sum))
    }

    /// The most probable grade; the lower one of two equals.
    pub fn argmax(&self) -> KlGrade {
        let mut best = 0;
        for grade in 1..GRADES {
            if self.0[grade] > self.0[best] {
                best = grade;
            }
        }
        KlGrade::ALL[best]
    }

    /// How undecided they are, in bits: 0 where one grade has it all, log2 5 = 2.32 where all five are alike.
    ///
    /// Source: Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 1948;27:379.
    pub fn entropy(&self) -> f32 {
        // a grade without probability adds nothing, though its logarithm is infinite
        let bits = |p: f32| if p > 0.0 { -f64::from(p) * f64::from(p).log2() } else { 0.0 };
        let sum: f64 = self.0.into_iter().map(bits).sum();
        // five rounded numbers may sum to a hair more than one
        sum.clamp(0.0, (GRADES as f64).log2()) as f32
    }

    /// The mean over members, grade by grade.
    pub fn mean<'a>(of: impl ExactSizeIterator<Item = &'a Self>) -> Self {
        let count = of.len() as f32;
        let mut sum = [0.0; GRADES];
        for probabilities in of {
            for (total, p) in sum.iter_mut().zip(probabilities.0) {
                *total += p;
            }
        }
        Self(sum.map(|total| total / count))
    }
}

/// One member's answer for one knee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// The member's name in its release.
    pub member: String,
    /// Its most probable grade.
    pub grade: KlGrade,
    /// Its probabilities, from the mean of all views' logits at its temperature.
    pub probabilities: Probabilities,
}
