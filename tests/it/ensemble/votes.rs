//! The vote rules, as tables and as properties.

use kellgrend::{
    ensemble::vote::{VoteRule, agreement, hard, mix, soft},
    grade::{GRADES, KlGrade, Probabilities, Vote},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

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

/// How many of `members` vote for each grade, in every possible way.
fn counts(members: usize) -> Vec<[usize; GRADES]> {
    let mut all = Vec::new();
    for code in 0..(members + 1).pow(GRADES as u32) {
        let mut rest = code;
        let counts = [(); GRADES].map(|()| {
            let count = rest % (members + 1);
            rest /= members + 1;
            count
        });
        if counts.iter().sum::<usize>() == members {
            all.push(counts);
        }
    }
    all
}

/// Votes of these counts whose mean leans to `target`, though nobody need vote for it.
fn leaning(counts: [usize; GRADES], target: usize) -> Vec<Vote> {
    let voter = |grade: usize| {
        let mut probabilities = [0.0625; GRADES];
        probabilities[target] = 0.375;
        probabilities[grade] = if grade == target { 0.75 } else { 0.4375 };
        vote(probabilities)
    };
    (0..GRADES).flat_map(|grade| std::iter::repeat_n(voter(grade), counts[grade])).collect()
}

/// Every way in which up to eight members can tie, with every soft answer there can be.
#[test]
fn on_every_tie_hard_takes_the_lowest_leader_and_mix_the_soft_answer_of_all_five() {
    let mut shapes = BTreeSet::new();
    for members in 1..=8 {
        for counts in counts(members) {
            let most = counts.into_iter().max().expect("five counts");
            let leaders: Vec<usize> = (0..GRADES).filter(|&grade| counts[grade] == most).collect();
            if leaders.len() < 2 {
                continue;
            }
            let mut shape: Vec<_> = counts.into_iter().filter(|&count| count > 0).collect();
            shape.sort_unstable_by(|a, b| b.cmp(a));
            shapes.insert(shape);
            for target in 0..GRADES {
                let votes = leaning(counts, target);
                check(&votes, [leaders[0] as u8, target as u8, target as u8]);
                for grade in KlGrade::ALL {
                    let share = counts[grade.index()] as f32 / members as f32;
                    assert_eq!(agreement(&votes, grade), share, "for {grade} of {counts:?}");
                }
            }
        }
    }
    let known: BTreeSet<Vec<usize>> = [
        "44", "332", "3311", "2222", "22211", // of eight
        "331", "2221", "22111", // of seven
        "33", "222", "2211", // of six
        "221", "11111", // of five
        "22", "1111", "111", "11",
    ]
    .iter()
    .map(|shape| shape.bytes().map(|digit| usize::from(digit - b'0')).collect())
    .collect();
    assert_eq!(shapes, known);
}

/// Without a tie the counts decide, wherever the mean leans.
#[test]
fn a_sole_leader_wins_by_hard_and_mix() {
    for members in 1..=8 {
        for counts in counts(members) {
            let most = counts.into_iter().max().expect("five counts");
            let mut leaders = (0..GRADES).filter(|&grade| counts[grade] == most);
            let (Some(leader), None) = (leaders.next(), leaders.next()) else { continue };
            for target in 0..GRADES {
                // a large majority carries the mean as well
                let sum = |grade: usize| leaning(counts, target).iter().map(|v| v.probabilities.0[grade]).sum::<f32>();
                let soft = (0..GRADES).rev().max_by(|&a, &b| sum(a).total_cmp(&sum(b))).expect("five sums");
                check(&leaning(counts, target), [leader as u8, soft as u8, leader as u8]);
            }
        }
    }
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

/// Probabilities in 1024ths, which float32 adds without rounding.
fn exact_votes() -> impl Strategy<Value = Vec<[u32; GRADES]>> {
    let cuts = prop::collection::vec(0u32..=1024, GRADES - 1);
    let parts = cuts.prop_map(|mut cuts| {
        cuts.sort_unstable();
        let (starts, ends) = ([&[0], &cuts[..]].concat(), [&cuts[..], &[1024]].concat());
        std::array::from_fn(|grade| ends[grade] - starts[grade])
    });
    prop::collection::vec(parts, 1..=8)
}

/// The first of the largest.
fn lowest_best(numbers: [u32; GRADES]) -> usize {
    let most = numbers.into_iter().max();
    (0..GRADES).find(|&grade| Some(numbers[grade]) == most).expect("five numbers")
}

proptest! {
    #[test]
    fn the_rules_are_their_definitions_in_whole_numbers(votes in exact_votes()) {
        let (mut counts, mut sums) = ([0; GRADES], [0; GRADES]);
        for parts in &votes {
            counts[lowest_best(*parts)] += 1;
            (0..GRADES).for_each(|grade| sums[grade] += parts[grade]);
        }
        let tied = counts.iter().filter(|&count| Some(count) == counts.iter().max()).count() > 1;
        let (by_hard, by_soft) = (lowest_best(counts), lowest_best(sums));
        let by_mix = if tied { by_soft } else { by_hard };
        let votes: Vec<_> = votes.iter().map(|parts| vote(parts.map(|part| part as f32 / 1024.0))).collect();
        for (rule, grade) in [(VoteRule::Hard, by_hard), (VoteRule::Soft, by_soft), (VoteRule::Mix, by_mix)] {
            prop_assert_eq!(rule.decide(&votes).index(), grade, "by {}", rule);
        }
        prop_assert_eq!(agreement(&votes, KlGrade::ALL[by_mix]), counts[by_mix] as f32 / votes.len() as f32);
    }

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
