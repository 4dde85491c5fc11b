//! Every subset of the networks that could vote, ranked.

use super::{super::gate::GateScore, voter::Voter};
use crate::card::Subset;
use crate::evaluation::{Case, Confusion};

/// The best by the score first; of equals by quadratic kappa, then the smaller, then whose networks come first.
pub(super) fn ranked<'a>(
    voters: &'a [Voter],
    score: GateScore,
    cases: impl Fn(&[&'a Voter]) -> Vec<Case>,
) -> Vec<(Vec<&'a Voter>, Subset)> {
    let mut ranked: Vec<_> = subsets(voters)
        .map(|members| {
            let confusion = Confusion::of(&cases(&members));
            let subset = Subset {
                members: members.iter().map(|member| member.chosen.network.clone()).collect(),
                accuracy: confusion.accuracy(),
                macro_f1: confusion.macro_f1(),
                quadratic_kappa: confusion.quadratic_kappa(),
            };
            (score.of(&confusion).unwrap_or(f64::NEG_INFINITY), members, subset)
        })
        .collect();
    let kappa = |subset: &Subset| subset.quadratic_kappa.unwrap_or(f64::NEG_INFINITY);
    ranked.sort_by(|(score, members, subset), (other_score, other_members, other)| {
        let by_score = other_score.total_cmp(score).then(kappa(other).total_cmp(&kappa(subset)));
        by_score.then(members.len().cmp(&other_members.len()))
    });
    ranked.into_iter().map(|(_, members, subset)| (members, subset)).collect()
}

/// All of two or more, 247 of eight; a network alone where it is the only one.
fn subsets(voters: &[Voter]) -> impl Iterator<Item = Vec<&Voter>> {
    let least = voters.len().min(2);
    let chosen = |bits: u64| voters.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
    let all = (0..1 << voters.len()).map(move |bits| chosen(bits).map(|(_, voter)| voter).collect::<Vec<_>>());
    all.filter(move |members| members.len() >= least)
}
