//! How the members' votes become one grade.

use crate::grade::{GRADES, KlGrade, Probabilities, Vote};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The rule by which a release decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoteRule {
    /// Most votes; on a tie the soft answer.
    #[default]
    Mix,
    /// The most probable grade by the mean probabilities.
    Soft,
    /// Most votes; on a tie the lowest grade among them.
    Hard,
}

impl VoteRule {
    /// All rules, the default first.
    pub const ALL: [Self; 3] = [Self::Mix, Self::Soft, Self::Hard];

    /// The word in settings and releases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mix => "mix",
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }

    /// The grade that one or more votes make by this rule.
    pub fn decide(self, votes: &[Vote]) -> KlGrade {
        match self {
            Self::Mix => mix(votes),
            Self::Soft => soft(votes),
            Self::Hard => hard(votes),
        }
    }
}

impl fmt::Display for VoteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for VoteRule {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a vote rule (mix, soft, hard)"))
    }
}

/// Most votes; the lowest grade on a tie.
pub fn hard(votes: &[Vote]) -> KlGrade {
    leaders(votes)[0]
}

/// The most probable grade by the mean of the members' probabilities; the lower one of two equals.
pub fn soft(votes: &[Vote]) -> KlGrade {
    Probabilities::mean(votes.iter().map(|vote| &vote.probabilities)).argmax()
}

/// Most votes; on a tie the soft answer, which may be any of the five grades.
pub fn mix(votes: &[Vote]) -> KlGrade {
    match leaders(votes)[..] {
        [grade] => grade,
        _ => soft(votes),
    }
}

/// The share of these votes that are for `grade`, 0 to 1.
pub fn agreement(votes: &[Vote], grade: KlGrade) -> f32 {
    votes.iter().filter(|vote| vote.grade == grade).count() as f32 / votes.len() as f32
}

/// The grades with the most votes, in ascending order; never none.
fn leaders(votes: &[Vote]) -> Vec<KlGrade> {
    let mut counts = [0usize; GRADES];
    for vote in votes {
        counts[vote.grade.index()] += 1;
    }
    let most = counts.iter().max();
    KlGrade::ALL.into_iter().filter(|grade| Some(&counts[grade.index()]) == most).collect()
}
