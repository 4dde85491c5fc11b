//! One network's votes, and the grades that some networks' votes make.

use super::{Chosen, Knees, OutOfFold, temperature};
use crate::ensemble::vote::VoteRule;
use crate::evaluation::{Case, Scores};
use crate::grade::{Probabilities, Vote};
use std::collections::BTreeSet;

/// A network that has graded some knees.
pub(super) struct Voter {
    pub(super) chosen: Chosen,
    /// By knee.
    votes: Vec<Option<Vote>>,
}

impl Voter {
    /// None where it has graded no knee; an answer that is not finite is none.
    pub(super) fn new(network: &OutOfFold, knees: Knees<'_>) -> Option<Self> {
        let is_finite = |logits: &[f32]| logits.iter().all(|logit| logit.is_finite());
        let logits: Vec<_> = network.logits.iter().map(|logits| logits.filter(|logits| is_finite(logits))).collect();
        let fitted = temperature(&logits, knees.truths);
        let temperature = if knees.may_be_known { fitted.max(1.0) } else { fitted };
        let vote = |logits| {
            let probabilities = Probabilities::softmax(logits, temperature as f32);
            // nobody asks here whose vote it is, and no name costs no memory
            Vote { member: String::new(), grade: probabilities.argmax(), probabilities }
        };
        let chosen = Chosen { network: network.name.clone(), fold: 0, temperature };
        let mut voter = Self { chosen, votes: logits.into_iter().map(|logits| logits.map(vote)).collect() };
        voter.chosen.fold = voter.best_fold(knees)?;
        Some(voter)
    }

    pub(super) fn has_graded(&self, knee: usize) -> bool {
        self.votes[knee].is_some()
    }

    /// By accuracy, then by log loss, then the first.
    fn best_fold(&self, knees: Knees<'_>) -> Option<usize> {
        let folds: BTreeSet<usize> = knees.folds.iter().copied().collect();
        let measured = folds.into_iter().filter_map(|fold| {
            let left_out = |&knee: &usize| knees.folds[knee] == fold && self.has_graded(knee);
            let left_out: Vec<_> = (0..knees.folds.len()).filter(left_out).collect();
            // a single vote is its own majority
            let Scores { accuracy, log_loss, .. } = Scores::of(&cases(&[self], &left_out, knees, VoteRule::Hard));
            Some((fold, accuracy?, log_loss?))
        });
        let best = measured.min_by(|a, b| b.1.total_cmp(&a.1).then(a.2.total_cmp(&b.2)));
        best.map(|(fold, ..)| fold)
    }
}

/// The grades that the members' votes make of knees that all of them have graded.
pub(super) fn cases(members: &[&Voter], of: &[usize], knees: Knees<'_>, rule: VoteRule) -> Vec<Case> {
    let mut votes = Vec::with_capacity(members.len());
    let case = |&knee: &usize| {
        votes.clear();
        votes.extend(members.iter().filter_map(|member| member.votes[knee].clone()));
        let probabilities = Probabilities::mean(votes.iter().map(|vote| &vote.probabilities));
        Case { patient: knees.patients[knee], truth: knees.truths[knee], grade: rule.decide(&votes), probabilities }
    };
    of.iter().map(case).collect()
}
