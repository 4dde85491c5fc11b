//! How well probabilities of one grade tell its knees from the others, wherever the line is drawn.

use super::Case;
use crate::grade::KlGrade;

/// Knees with their probability of the grade, and whether they are of it, the most probable first.
pub struct Ranking {
    ranked: Vec<(f32, bool)>,
    of_grade: f64,
    others: f64,
}

/// A place on a curve between 0 and 1, to the right and up.
pub type Place = (f64, f64);

/// Knees of one probability, which no line can part.
struct Tie {
    of_grade: f64,
    others: f64,
}

impl Ranking {
    /// The cases by their probability of the grade; none where all knees are of it, or none is.
    pub fn of(grade: KlGrade, cases: &[Case]) -> Option<Self> {
        let knee = |case: &Case| (case.probabilities.0[grade.index()], case.truth == grade);
        Self::new(cases.iter().map(knee).collect())
    }

    /// None where all knees are of the grade, or none is.
    pub fn new(mut ranked: Vec<(f32, bool)>) -> Option<Self> {
        let of_grade = ranked.iter().filter(|knee| knee.1).count();
        if of_grade == 0 || of_grade == ranked.len() {
            return None;
        }
        let others = (ranked.len() - of_grade) as f64;
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Some(Self { ranked, of_grade: of_grade as f64, others })
    }

    /// The area under the receiver operating characteristic: the chance that a knee of the grade ranks before another, ties
    /// counted half.
    ///
    /// Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982;143:29.
    pub fn roc_auc(&self) -> f64 {
        let mut before = 0.0;
        let mut sum = 0.0;
        for Tie { of_grade, others } in self.ties() {
            sum += others * (before + of_grade / 2.0);
            before += of_grade;
        }
        sum / (self.of_grade * self.others)
    }

    /// The mean precision over the knees of the grade, each at the line just below it.
    pub fn average_precision(&self) -> f64 {
        let (mut found, mut all, mut sum) = (0.0, 0.0, 0.0);
        for Tie { of_grade, others } in self.ties() {
            found += of_grade;
            all += of_grade + others;
            sum += of_grade * found / all;
        }
        sum / self.of_grade
    }

    /// The receiver operating characteristic: one less the specificity, and the sensitivity, from the strictest line on.
    pub fn roc(&self) -> Vec<Place> {
        let line = |(found, wrong): (f64, f64)| (wrong / self.others, found / self.of_grade);
        std::iter::once((0.0, 0.0)).chain(self.lines().map(line)).collect()
    }

    /// The sensitivity (recall) and the precision there, from the strictest line on.
    pub fn precision_recall(&self) -> Vec<Place> {
        self.lines().map(|(found, wrong)| (found / self.of_grade, found / (found + wrong))).collect()
    }

    /// Below each tie a line is drawn: how many knees above it are of the grade, and how many are not.
    fn lines(&self) -> impl Iterator<Item = (f64, f64)> {
        self.ties().scan((0.0, 0.0), |(found, wrong), Tie { of_grade, others }| {
            *found += of_grade;
            *wrong += others;
            Some((*found, *wrong))
        })
    }

    fn ties(&self) -> impl Iterator<Item = Tie> {
        self.ranked.chunk_by(|a, b| a.0 == b.0).map(|tie| {
            let of_grade = tie.iter().filter(|knee| knee.1).count();
            Tie { of_grade: of_grade as f64, others: (tie.len() - of_grade) as f64 }
        })
    }
}
