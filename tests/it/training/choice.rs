//! What the networks' answers to unseen knees decide.

use kellgrend::ensemble::release::TEMPERATURES;
use kellgrend::ensemble::vote::VoteRule;
use kellgrend::evaluation::{Case, Confusion};
use kellgrend::grade::{GRADES, KlGrade, Probabilities};
use kellgrend::training::choice::{Choice, ChoiceSettings, Knees, OutOfFold, Review, temperature};
use kellgrend::training::gate::GateScore;
use proptest::prelude::*;
use std::collections::BTreeSet;

const FOLDS: usize = 5;

/// Knuth's linear congruential generator (MMIX); evenly from 0 to 1.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}

/// Knees of all grades in turn, two a patient, in five folds of patients.
struct Set {
    patients: Vec<usize>,
    truths: Vec<KlGrade>,
    folds: Vec<usize>,
}

impl Set {
    fn new(knees: usize) -> Self {
        Self {
            patients: (0..knees).map(|knee| knee / 2).collect(),
            truths: (0..knees).map(|knee| KlGrade::ALL[knee % GRADES]).collect(),
            folds: (0..knees).map(|knee| knee / 2 % FOLDS).collect(),
        }
    }

    /// A network that is right where it is said to be, and else a grade off.
    fn network(&self, name: &str, is_right: impl Fn(usize) -> bool) -> OutOfFold {
        let answer = |(knee, truth): (usize, &KlGrade)| {
            let said = if is_right(knee) { truth.index() } else { (truth.index() + 1) % GRADES };
            Some(std::array::from_fn(|grade| if grade == said { 2.0 } else { 0.0 }))
        };
        OutOfFold { name: name.to_owned(), logits: self.truths.iter().enumerate().map(answer).collect() }
    }

    fn knees(&self) -> Knees<'_> {
        let Self { patients, truths, folds } = self;
        Knees { patients, truths, folds, may_be_known: false }
    }

    fn choose(&self, networks: &[OutOfFold], settings: &ChoiceSettings) -> Result<Choice, String> {
        Choice::of(networks, self.knees(), VoteRule::Mix, settings)
    }

    #[track_caller]
    fn chosen(&self, networks: &[OutOfFold]) -> Choice {
        self.choose(networks, &ChoiceSettings::default()).expect("a choice")
    }
}

fn members(choice: &Choice) -> Vec<&str> {
    choice.members.iter().map(|chosen| chosen.network.as_str()).collect()
}

/// Grades as likely as the logits say, and logits that claim to be surer, or less sure, by a factor.
fn told(knees: usize, factor: f32, seed: u64) -> (Vec<Option<[f32; GRADES]>>, Vec<KlGrade>) {
    let mut chance = Chance(seed);
    let knee = |_| {
        let logits: [f32; GRADES] = std::array::from_fn(|_| (chance.next() * 6.0) as f32);
        let (mut rest, probabilities) = (chance.next() as f32, Probabilities::softmax(logits, 1.0));
        let grade = probabilities.0.iter().position(|p| {
            rest -= p;
            rest < 0.0
        });
        (Some(logits.map(|logit| logit * factor)), KlGrade::ALL[grade.unwrap_or(4)])
    };
    (0..knees).map(knee).unzip()
}

#[test]
fn a_known_temperature_is_found() {
    for factor in [0.5, 1.0, 2.5, 8.0] {
        let (logits, truths) = told(6000, factor, 3);
        let found = temperature(&logits, &truths);
        assert!((found / f64::from(factor) - 1.0).abs() < 0.05, "{found} for {factor}");
    }
}

#[test]
fn who_may_know_the_knees_already_becomes_no_surer_by_them() {
    let set = Set::new(50);
    let temperature = |may_be_known, network: OutOfFold| {
        let knees = Knees { may_be_known, ..set.knees() };
        let choice = Choice::of(&[network], knees, VoteRule::Mix, &ChoiceSettings::default()).expect("a choice");
        choice.members[0].temperature
    };
    let mostly_right = || set.network("right", |knee| knee % 10 != 0);
    let mostly_wrong = || set.network("wrong", |knee| knee % 10 == 0);
    assert!(temperature(false, mostly_right()) < 0.9);
    assert_eq!(temperature(true, mostly_right()), 1.0);
    assert!(temperature(true, mostly_wrong()) > 2.0, "less sure is another thing");
    assert_eq!(temperature(true, mostly_wrong()), temperature(false, mostly_wrong()));
}

#[test]
fn temperatures_end_where_a_release_ends_them() {
    let (set, release) = (Set::new(50), TEMPERATURES);
    let low = temperature(&set.network("right", |_| true).logits, &set.truths);
    let high = temperature(&set.network("wrong", |_| false).logits, &set.truths);
    assert!(release.contains(&low) && low < 1.02 * release.start(), "{low}");
    assert!(release.contains(&high) && high > 0.98 * release.end(), "{high}");
    assert_eq!(temperature(&vec![None; 50], &set.truths), 1.0, "as trained");
    assert_eq!(temperature(&vec![Some([3.0; GRADES]); 50], &set.truths), 1.0, "it makes no difference");
    let certain = |truth: &KlGrade| std::array::from_fn(|grade| if grade == truth.index() { 1e30 } else { -1e30 });
    let certain: Vec<_> = set.truths.iter().map(|truth| Some(certain(truth))).collect();
    assert_eq!(temperature(&certain, &set.truths), 1.0, "nothing is better than certain and right");
}

/// Three that are wrong about different knees are right together; a fourth that guesses is no help.
#[test]
fn networks_that_complete_each_other_are_joined_and_a_useless_one_is_left_out() {
    let set = Set::new(600);
    let third = |which: usize| move |knee: usize| knee / 10 % 3 != which;
    let networks = [
        set.network("a", third(0)),
        set.network("useless", |knee| knee.is_multiple_of(7)),
        set.network("b", third(1)),
        set.network("c", third(2)),
    ];
    let choice = set.chosen(&networks);
    assert_eq!(members(&choice), ["a", "b", "c"]);
    assert_eq!((choice.ranked[0].accuracy, choice.ranked[0].quadratic_kappa), (Some(1.0), Some(1.0)));
    assert_eq!(choice.ranked[0].members, ["a", "b", "c"]);
    assert_eq!(choice.ranked.len(), 6 + 4 + 1);
    assert!(choice.ranked[10].members.iter().any(|name| name == "useless"), "{:?}", choice.ranked[10]);
    assert_eq!(choice.out_of_fold.len(), 600);
}

#[test]
fn eight_networks_make_247_subsets() {
    let set = Set::new(150);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let network = |(place, name): (usize, &&str)| set.network(name, move |knee| (knee * 31 + place * 17) % 10 < 6);
    let networks: Vec<_> = names.iter().enumerate().map(network).collect();
    for score in [GateScore::Accuracy, GateScore::MacroF1, GateScore::QuadraticKappa] {
        let choice = set.choose(&networks, &ChoiceSettings { score, ..ChoiceSettings::default() }).expect("a choice");
        let distinct: BTreeSet<_> = choice.ranked.iter().map(|subset| &subset.members).collect();
        assert_eq!((choice.ranked.len(), distinct.len()), (247, 247));
        assert!(choice.ranked.iter().all(|subset| (2..=8).contains(&subset.members.len())));
        let key = |place: usize| {
            let subset = &choice.ranked[place];
            let score = match score {
                GateScore::Accuracy => subset.accuracy,
                GateScore::MacroF1 => subset.macro_f1,
                GateScore::QuadraticKappa => subset.quadratic_kappa,
            };
            (score, subset.quadratic_kappa)
        };
        assert!((1..247).all(|place| key(place - 1) >= key(place)), "{score}");
        let confusion = Confusion::of(&choice.out_of_fold);
        assert_eq!(key(0), (score.of(&confusion), confusion.quadratic_kappa()), "{score}");
        assert_eq!(members(&choice), choice.ranked[0].members);
    }
}

#[test]
fn of_equals_the_smaller_subset_and_the_first_networks_win() {
    let set = Set::new(100);
    let network = |name| set.network(name, |knee| knee % 10 < 7);
    let choice = set.chosen(&["a", "b", "c"].map(network));
    assert_eq!(members(&choice), ["a", "b"]);
    assert_eq!(choice.ranked[3].members, ["a", "b", "c"]);
    let choice = set.chosen(&["only"].map(network));
    assert_eq!((members(&choice), choice.ranked.len()), (vec!["only"], 1));
}

/// Two are as accurate as the third, but nearer where they are wrong; with it, they follow it, for it is surer.
#[test]
fn quadratic_kappa_parts_equal_accuracies() {
    let set = Set::new(200);
    let wrong = |name: &str, said: fn(usize) -> usize, logit: f32| {
        let mut network = set.network(name, |_| true);
        for knee in (0..200).filter(|knee| knee % 20 >= 14) {
            let said = said(set.truths[knee].index());
            network.logits[knee] = Some(std::array::from_fn(|grade| if grade == said { logit } else { 0.0 }));
        }
        network
    };
    let near: fn(usize) -> usize = |truth| truth.abs_diff(1);
    let far = |truth| if truth < 2 { 4 } else { 0 };
    let choice = set.chosen(&[wrong("far", far, 3.0), wrong("near", near, 2.0), wrong("near, too", near, 2.0)]);
    assert_eq!(members(&choice), ["near", "near, too"]);
    assert!(choice.ranked.iter().all(|subset| subset.accuracy == Some(0.7)), "{:?}", choice.ranked);
}

#[test]
fn the_best_fold_is_the_one_that_grades_its_own_knees_best() {
    let set = Set::new(500);
    let by_accuracy = set.network("by accuracy", |knee| set.folds[knee] == 3 || knee % 4 > 0);
    let mut by_loss = set.network("by loss", |knee| knee / 10 % 4 > 0);
    for knee in (0..500).filter(|&knee| set.folds[knee] == 2) {
        let answer = by_loss.logits[knee].expect("an answer");
        let is_right = knee / 10 % 4 > 0;
        by_loss.logits[knee] = Some(answer.map(|logit| logit * if is_right { 1.5 } else { 0.5 }));
    }
    let choice = set.chosen(&[by_accuracy, by_loss]);
    assert_eq!(choice.members.iter().map(|chosen| chosen.fold).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn knees_that_a_network_has_no_answer_for_are_left_out_and_a_network_without_answers_is_too() {
    let set = Set::new(100);
    let mut failed = set.network("failed once", |_| true);
    for knee in (0..100).filter(|&knee| set.folds[knee] == 0) {
        failed.logits[knee] = None;
    }
    failed.logits[2] = Some([f32::NAN, 0.0, 0.0, 0.0, 0.0]);
    let silent = OutOfFold { name: "silent".to_owned(), logits: vec![None; 100] };
    let choice = set.chosen(&[silent.clone(), failed.clone(), set.network("whole", |knee| knee > 5)]);
    assert_eq!((members(&choice), choice.out_of_fold.len()), (vec!["failed once", "whole"], 79));
    assert!(choice.members.iter().all(|chosen| chosen.fold > 0), "{:?}", choice.members);
    assert!(choice.out_of_fold.iter().all(|case| case.patient % FOLDS != 0));

    let mut rest = set.network("the rest", |_| true);
    for knee in (0..100).filter(|&knee| set.folds[knee] != 0) {
        rest.logits[knee] = None;
    }
    for (networks, wanted) in [
        (vec![failed, rest], "by every network"),
        (vec![silent], "by every network"),
        (vec![], "by every network"),
        (vec![OutOfFold { name: "short".to_owned(), logits: vec![None; 99] }], "short answers for 99 knees of 100"),
    ] {
        let why = set.choose(&networks, &ChoiceSettings::default()).expect_err("no choice");
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn what_is_least_sure_is_marked() {
    let case = |knee: usize| {
        let sure = 0.3 + 0.006 * knee as f32;
        let rest = (1.0 - sure) / 4.0;
        let truth = KlGrade::ALL[if knee < 50 { knee % 2 } else { 0 }];
        let probabilities = Probabilities([sure, rest, rest, rest, rest]);
        Case { patient: knee, truth, grade: KlGrade::ALL[0], probabilities }
    };
    let cases: Vec<_> = (0..100).map(case).collect();
    let review = Review::of(&cases, 0.2);
    assert_eq!((review.coverage, review.accuracy, review.accuracy_of_marked), (0.8, Some(65.0 / 80.0), Some(0.5)));
    assert_eq!(review.threshold, cases[20].probabilities.0[0]);
    let review = Review::of(&cases, 0.0);
    assert_eq!((review.threshold, review.coverage, review.accuracy_of_marked), (0.0, 1.0, None));
    let review = Review::of(&cases, 1.0);
    assert_eq!((review.coverage, review.accuracy, review.accuracy_of_marked), (0.0, None, Some(0.75)));
    assert!(review.threshold > 1.0, "nobody is so sure");
    let alike = [cases[9]; 10];
    assert_eq!(Review::of(&alike, 0.5).coverage, 1.0, "none of them is less sure than the others");
    assert_eq!(Review::of(&[], 0.5).accuracy, None);
}

proptest! {
    #[test]
    fn marked_knees_are_no_more_than_asked_and_less_sure_than_the_rest(
        sure in prop::collection::vec((0.2f32..1.0, 0usize..GRADES), 1..80),
        share in 0.0..=1.0,
    ) {
        let case = |(patient, &(sure, truth)): (usize, &(f32, usize))| {
            let rest = (1.0 - sure) / 4.0;
            let probabilities = Probabilities([rest, sure, rest, rest, rest]);
            Case { patient, truth: KlGrade::ALL[truth], grade: KlGrade::ALL[1], probabilities }
        };
        let cases: Vec<_> = sure.iter().enumerate().map(case).collect();
        let review = Review::of(&cases, share);
        let marked = sure.iter().filter(|(sure, _)| *sure < review.threshold).count();
        let left = sure.len() - marked;
        let distinct: BTreeSet<_> = sure.iter().map(|(sure, _)| sure.to_bits()).collect();
        let asked = (share * sure.len() as f64).round() as usize;
        prop_assert!(marked <= asked && (marked == asked || distinct.len() < sure.len()));
        prop_assert_eq!(review.coverage, left as f64 / sure.len() as f64);
        let right = [(review.accuracy, left), (review.accuracy_of_marked, marked)];
        let right: f64 = right.iter().map(|(accuracy, knees)| accuracy.unwrap_or(0.0) * *knees as f64).sum();
        prop_assert!((right - sure.iter().filter(|(_, truth)| *truth == 1).count() as f64).abs() < 1e-9);
    }

    /// Whoever doubles all logits is twice as sure of the same, and is cooled twice as much.
    #[test]
    fn temperatures_follow_the_logits(factor in 0.25f32..4.0, seed in any::<u64>()) {
        let ((logits, truths), (scaled, _)) = (told(100, 1.0, seed), told(100, factor, seed));
        let (found, other) = (temperature(&logits, &truths), temperature(&scaled, &truths));
        prop_assert!((0.05..=20.0).contains(&found) && (0.05..=20.0).contains(&other));
        let wanted = (found * f64::from(factor)).clamp(0.05, 20.0);
        prop_assert!(found >= 19.9 || (other / wanted - 1.0).abs() < 1e-3, "{} of {}, {}", other, found, factor);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever the rule, networks that always agree are as good together as each of them alone.
    #[test]
    fn like_networks_grade_as_one(right in prop::collection::vec(any::<bool>(), 20)) {
        let set = Set::new(20);
        let networks = ["a", "b", "c"].map(|name| set.network(name, |knee| right[knee]));
        let share = right.iter().filter(|right| **right).count() as f64 / 20.0;
        for rule in VoteRule::ALL {
            let choice = Choice::of(&networks, set.knees(), rule, &ChoiceSettings::default());
            prop_assert!(choice.expect("a choice").ranked.iter().all(|subset| subset.accuracy == Some(share)));
        }
    }
}
