//! The vote rules, as tables and as properties.

use kellgrend::{
    ensemble::vote::{VoteRule, agreement, hard, mix, soft},
    grade::{GRADES, KlGrade, Probabilities, Vote},
};
use proptest::prelude::*;

fn vote(probabilities: [f32; GRADES]) -> Vote {
    let probabilities = Probabilities(probabilities);
    Vote { member: "m".to_owned(), grade: probabilities.argmax(), probabilities }
}

/// A member that is `sure` of a grade, the rest spread evenly.
fn sure_of(grade: usize, sure: f32) -> Vote {
    let mut probabilities = [(1.0 - sure) / 4.0; GRADES];
    probabilities[grade] = sure;
    vote(probabilities)
}

fn check(votes: &[Vote], [by_hard, by_soft, by_mix]: [u8; 3]) {
    let grades = [hard(votes), soft(votes), mix(votes)].map(u8::from);
    assert_eq!(grades, [by_hard, by_soft, by_mix], "hard, soft, mix of {votes:?}");
}

#[test]
fn one_member_decides_alone() {
    for grade in 0..GRADES {
        check(&[sure_of(grade, 0.5)], [grade as u8; 3]);
    }
}

#[test]
fn a_majority_outvotes_one_that_is_very_sure() {
    check(&[sure_of(1, 0.3), sure_of(1, 0.3), sure_of(4, 1.0)], [1, 4, 1]);
}

#[test]
fn four_against_four_hard_takes_the_lower_and_mix_the_surer() {
    let mut votes: Vec<_> = (0..4).map(|_| sure_of(2, 0.5)).collect();
    votes.extend((0..4).map(|_| sure_of(3, 0.6)));
    check(&votes, [2, 3, 3]);
}

#[test]
fn two_two_two_two_hard_takes_the_lowest_and_mix_the_surest() {
    let votes: Vec<_> =
        [(0, 0.4), (1, 0.5), (2, 0.4), (4, 0.6)].iter().flat_map(|&(g, p)| [sure_of(g, p), sure_of(g, p)]).collect();
    check(&votes, [0, 4, 4]);
}

/// The soft answer on a tie is over all five grades: it may be one that nobody voted for.
#[test]
fn a_tie_may_go_to_a_grade_without_a_vote() {
    check(&[vote([0.5, 0.45, 0.0, 0.05, 0.0]), vote([0.0, 0.45, 0.5, 0.05, 0.0])], [0, 1, 1]);
}

#[test]
fn equal_mean_probabilities_go_to_the_lower_grade() {
    check(&[vote([0.0, 0.75, 0.25, 0.0, 0.0]), vote([0.0, 0.25, 0.75, 0.0, 0.0])], [1, 1, 1]);
}

#[test]
fn a_rule_is_read_and_written_as_the_same_word() {
    for rule in VoteRule::ALL {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    assert_eq!(VoteRule::default(), VoteRule::Mix);
    let error = "majority".parse::<VoteRule>().expect_err("no rule");
    assert!(error.contains("mix, soft, hard"), "{error}");
}

fn votes() -> impl Strategy<Value = Vec<Vote>> {
    let logits = prop::array::uniform5(-8f32..8.0);
    prop::collection::vec(logits.prop_map(|logits| vote(Probabilities::softmax(logits, 1.0).0)), 1..20)
}

proptest! {
    #[test]
    fn no_order_of_members_matters(votes in votes(), turn in any::<prop::sample::Index>()) {
        let mut turned = votes.clone();
        turned.rotate_left(turn.index(votes.len()));
        prop_assert_eq!(hard(&votes), hard(&turned));
        prop_assert!((agreement(&votes, hard(&votes)) - agreement(&turned, hard(&turned))).abs() < 1e-6);
    }

    #[test]
    fn hard_has_the_most_votes_and_agreement_is_their_share(votes in votes()) {
        let winner = hard(&votes);
        let count = |grade: KlGrade| votes.iter().filter(|vote| vote.grade == grade).count();
        for grade in KlGrade::ALL {
            prop_assert!(count(grade) < count(winner) || (count(grade) == count(winner) && grade >= winner));
        }
        prop_assert_eq!(agreement(&votes, winner), count(winner) as f32 / votes.len() as f32);
    }

    #[test]
    fn mix_is_hard_without_a_tie_and_soft_with_one(votes in votes()) {
        let count = |grade: KlGrade| votes.iter().filter(|vote| vote.grade == grade).count();
        let most = KlGrade::ALL.into_iter().map(count).max();
        let tie = KlGrade::ALL.into_iter().filter(|&grade| Some(count(grade)) == most).count() > 1;
        prop_assert_eq!(mix(&votes), if tie { soft(&votes) } else { hard(&votes) });
    }

    #[test]
    fn members_of_one_mind_decide_that(grade in 0usize..GRADES, sure in 0.3f32..1.0, members in 1usize..20) {
        let votes = vec![sure_of(grade, sure); members];
        for rule in VoteRule::ALL {
            prop_assert_eq!(rule.decide(&votes), KlGrade::ALL[grade]);
        }
    }
}
