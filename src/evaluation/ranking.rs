//! How well probabilities of one grade tell its knees from the others, wherever the line is drawn.

/// Knees with their probability of the grade, and whether they are of it, the most probable first.
pub struct Ranking {
    ranked: Vec<(f32, bool)>,
    of_grade: f64,
    others: f64,
}

/// Knees of one probability, which no line can part.
struct Tie {
    of_grade: f64,
    others: f64,
}

impl Ranking {
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

    fn ties(&self) -> impl Iterator<Item = Tie> {
        self.ranked.chunk_by(|a, b| a.0 == b.0).map(|tie| {
            let of_grade = tie.iter().filter(|knee| knee.1).count();
            Tie { of_grade: of_grade as f64, others: (tie.len() - of_grade) as f64 }
        })
    }
}
