//! What the networks' answers to knees that they have not seen decide: temperatures, folds, who votes, and which knees a
//! human should read again.

mod review;
mod subset;
mod temperature;
mod voter;

pub use review::Review;
pub use temperature::temperature;

use super::gate::GateScore;
use crate::card::Subset;
use crate::ensemble::vote::VoteRule;
use crate::evaluation::Case;
use crate::grade::{GRADES, KlGrade};
use serde::{Deserialize, Serialize};
use voter::Voter;

/// The knees of the training set, each at the same place in all three.
#[derive(Clone, Copy, Debug)]
pub struct Knees<'a> {
    /// Whose they are, by number.
    pub patients: &'a [usize],
    /// What the readers say.
    pub truths: &'a [KlGrade],
    /// The fold that each is left out of.
    pub folds: &'a [usize],
    /// Networks may know them all the same, from the release that they began from: that they are right then does not prove
    /// how sure they may be.
    pub may_be_known: bool,
}

/// One network's answers to the knees of the training set.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFold {
    /// The network's name.
    pub name: String,
    /// By knee, from the fold that has not seen it; none where that fold's fit failed or was not made.
    pub logits: Vec<Option<[f32; GRADES]>>,
}

/// How to choose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChoiceSettings {
    /// What subsets of the networks are ranked by.
    pub score: GateScore,
    /// The share of the knees that a human should read again, 0 to 1.
    pub review_share: f64,
}

impl Default for ChoiceSettings {
    fn default() -> Self {
        Self { score: GateScore::Accuracy, review_share: 0.1 }
    }
}

/// A network that is to vote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// The network's name.
    pub network: String,
    /// The fold whose fit grades the knees left out of it best.
    pub fold: usize,
    /// What the network's logits are to be divided by; no less than 1 where it may know the knees.
    pub temperature: f64,
}

/// All that is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The networks of the best subset, in the order in which they were given.
    pub members: Vec<Chosen>,
    /// Every subset, the best first. Being the best of many on these knees flatters it a little: how good it is must be
    /// asked of other knees.
    pub ranked: Vec<Subset>,
    /// How sure its answers must be.
    pub review: Review,
    /// Its answers to the knees that all networks have graded.
    pub out_of_fold: Vec<Case>,
}

impl Choice {
    /// Chooses among the networks that have graded any knee; an error where these have none in common.
    pub fn of(
        networks: &[OutOfFold],
        knees: Knees<'_>,
        rule: VoteRule,
        settings: &ChoiceSettings,
    ) -> Result<Self, String> {
        knees.check(networks)?;
        let voters: Vec<_> = networks.iter().filter_map(|network| Voter::new(network, knees)).collect();
        let by_all = |&knee: &usize| voters.iter().all(|voter| voter.has_graded(knee));
        let common: Vec<_> = (0..knees.truths.len()).filter(by_all).collect();
        if voters.is_empty() || common.is_empty() {
            return Err("no knee has been graded by every network without having been seen by it".to_owned());
        }
        let cases = |members: &[&Voter]| voter::cases(members, &common, knees, rule);
        let (subsets, ranked): (Vec<_>, Vec<_>) = subset::ranked(&voters, settings.score, cases).into_iter().unzip();
        let out_of_fold = cases(&subsets[0]);
        Ok(Self {
            members: subsets[0].iter().map(|voter| voter.chosen.clone()).collect(),
            ranked,
            review: Review::of(&out_of_fold, settings.review_share),
            out_of_fold,
        })
    }
}

impl Knees<'_> {
    fn check(&self, networks: &[OutOfFold]) -> Result<(), String> {
        let knees = self.truths.len();
        if self.patients.len() != knees || self.folds.len() != knees {
            return Err(format!("{knees} grades, {} patients, {} folds", self.patients.len(), self.folds.len()));
        }
        match networks.iter().find(|network| network.logits.len() != knees) {
            Some(OutOfFold { name, logits }) => Err(format!("{name} answers for {} knees of {knees}", logits.len())),
            None => Ok(()),
        }
    }
}
