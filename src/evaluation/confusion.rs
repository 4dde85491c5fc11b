//! What was answered for what a reader said, counted.

use super::Case;
use crate::grade::GRADES;
use serde::Serialize;

/// Knees by the reader's grade (rows) and the answer (columns).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion(pub [[u64; GRADES]; GRADES]);

impl Confusion {
    /// Counts the cases.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Self {
        let mut counted = Self::default();
        for case in cases {
            counted.0[case.truth.index()][case.grade.index()] += 1;
        }
        counted
    }

    /// Counts another's knees as well.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *own += other;
        }
    }

    /// How many knees were counted.
    pub fn knees(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Knees of which the reader says this grade.
    pub fn of_truth(&self, grade: usize) -> u64 {
        self.0[grade].iter().sum()
    }

    /// Knees that were given this grade.
    pub fn of_answer(&self, grade: usize) -> u64 {
        self.0.iter().map(|row| row[grade]).sum()
    }

    /// The share that was answered as the reader says; none where there is no knee.
    pub fn accuracy(&self) -> Option<f64> {
        share((0..GRADES).map(|grade| self.0[grade][grade]).sum(), self.knees())
    }

    /// Of the knees that are of this grade, the share that was given it; none where there are none.
    pub fn recall(&self, grade: usize) -> Option<f64> {
        share(self.0[grade][grade], self.of_truth(grade))
    }

    /// Of the knees that were given this grade, the share that is of it; none where there are none.
    pub fn precision(&self, grade: usize) -> Option<f64> {
        share(self.0[grade][grade], self.of_answer(grade))
    }

    /// The harmonic mean of recall and precision; none where nobody says this grade.
    pub fn f1(&self, grade: usize) -> Option<f64> {
        share(2 * self.0[grade][grade], self.of_truth(grade) + self.of_answer(grade))
    }

    /// The mean of F1 over the grades that somebody says; none where there is no knee.
    pub fn macro_f1(&self) -> Option<f64> {
        self.mean_f1(|_| true)
    }

    /// The mean of F1 over the grades that the reader says; none where there is no knee. Two gradings of the same knees have this mean over
    /// the same grades, whatever they answer.
    pub fn macro_f1_of_truths(&self) -> Option<f64> {
        self.mean_f1(|grade| self.of_truth(grade) > 0)
    }

    fn mean_f1(&self, counts: impl Fn(usize) -> bool) -> Option<f64> {
        let told: Vec<f64> = (0..GRADES).filter(|&grade| counts(grade)).filter_map(|grade| self.f1(grade)).collect();
        (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64)
    }

    /// Cohen's kappa with squared distances between grades as weights: 1 is full agreement, 0 what chance makes of the same
    /// numbers of each grade. None where chance cannot but agree.
    ///
    /// Source: Cohen, "Weighted kappa", Psychological Bulletin 1968;70:213.
    pub fn quadratic_kappa(&self) -> Option<f64> {
        let (mut observed, mut by_chance) = (0.0, 0.0);
        for truth in 0..GRADES {
            for answer in 0..GRADES {
                let weight = (truth.abs_diff(answer) * truth.abs_diff(answer)) as f64;
                observed += weight * self.0[truth][answer] as f64;
                by_chance += weight * self.of_truth(truth) as f64 * self.of_answer(answer) as f64;
            }
        }
        (by_chance > 0.0).then(|| 1.0 - observed * self.knees() as f64 / by_chance)
    }

    /// How many grades the answers are off, on average; none where there is no knee.
    pub fn mean_absolute_error(&self) -> Option<f64> {
        let off = |truth: usize| (0..GRADES).map(move |answer| (truth, answer));
        let grades =
            (0..GRADES).flat_map(off).map(|(truth, answer)| truth.abs_diff(answer) as u64 * self.0[truth][answer]);
        share(grades.sum(), self.knees())
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
