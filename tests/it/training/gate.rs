//! When a challenger is better than a champion, and when that is enough.

use kellgrend::evaluation::{Case, Comparison, Difference, Interval, Intervals, Scores};
use kellgrend::grade::{GRADES, KlGrade, Probabilities};
use kellgrend::training::gate::{Gate, GateScore, Verdict};
use proptest::prelude::*;

const SEED: u64 = 11;

/// Mostly sure of one grade.
fn sure(grade: KlGrade) -> Probabilities {
    Probabilities(std::array::from_fn(|g| if g == grade.index() { 0.8 } else { 0.05 }))
}

fn case(patient: usize, truth: KlGrade, grade: KlGrade) -> Case {
    Case { patient, truth, grade, probabilities: sure(grade) }
}

/// One knee a patient, of all grades in turn, graded rightly or a grade off.
fn graded(patients: usize, is_right: impl Fn(usize) -> bool) -> Vec<Case> {
    let case = |patient: usize| {
        let truth = KlGrade::ALL[patient % GRADES];
        let off = KlGrade::ALL[if truth.index() == 4 { 3 } else { truth.index() + 1 }];
        case(patient, truth, if is_right(patient) { truth } else { off })
    };
    (0..patients).map(case).collect()
}

/// A share of each hundred patients, and of each grade's.
fn lucky(patient: usize, percent: usize) -> bool {
    patient * 37 % 100 < percent
}

#[track_caller]
fn compared(champion: &[Case], challenger: &[Case]) -> Comparison {
    Comparison::of(champion, challenger, SEED).expect("the same knees")
}

fn all(comparison: &Comparison) -> Vec<Option<Difference>> {
    let Comparison { accuracy, macro_f1, quadratic_kappa, recall, calibration_error, log_loss, .. } =
        comparison.clone();
    [accuracy, macro_f1, quadratic_kappa, calibration_error, log_loss].into_iter().chain(recall).collect()
}

#[test]
fn a_grading_is_no_better_than_itself() {
    let cases = graded(200, |patient| lucky(patient, 70));
    let comparison = compared(&cases, &cases);
    for difference in all(&comparison) {
        let difference = difference.expect("all can be measured");
        assert_eq!((difference.difference, difference.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
    }
    let Verdict { promoted, reasons } = Gate::default().judge(&comparison);
    assert!(!promoted);
    let kappa = comparison.quadratic_kappa.expect("a kappa").champion;
    let wanted = format!(
        "Quadratic kappa stays at {kappa:.3}; with 95 % certainty it rises by at least 0.000, and a rise of more than 0.000 \
         is asked."
    );
    assert_eq!(reasons, [wanted]);
    assert!(Gate { margin: -0.01, ..Gate::default() }.judge(&comparison).promoted, "it is not much worse");
}

/// A grade that no reader says is in the mean F1 of whoever says it: that is no reason to promote who is wrong in another way.
#[test]
fn a_grade_that_only_the_champion_says_makes_the_challenger_no_better() {
    let of = |instead: usize| {
        let of_one = |patient: usize| {
            let truth = KlGrade::ALL[patient % 4];
            case(patient, truth, if patient % 16 == 3 { KlGrade::ALL[instead] } else { truth })
        };
        Vec::from_iter((0..64).map(of_one))
    };
    let comparison = compared(&of(4), &of(2));
    assert!(comparison.macro_f1.is_some_and(|of| of.difference < 0.0), "{:?}", comparison.macro_f1);
    assert!(!Gate { score: GateScore::MacroF1, ..Gate::default() }.judge(&comparison).promoted);
}

#[test]
fn many_patients_show_what_few_do_not() {
    let of = |patients| {
        let champion = graded(patients, |patient| lucky(patient, 70));
        compared(&champion, &graded(patients, |patient| lucky(patient, 78)))
    };
    let (many, few) = (of(500), of(20));
    for score in [GateScore::Accuracy, GateScore::MacroF1, GateScore::QuadraticKappa] {
        let gate = Gate { score, ..Gate::default() };
        let verdict = gate.judge(&many);
        assert!(verdict.promoted && verdict.reasons[0].starts_with(&format!("{score} rises from 0.")), "{verdict:?}");
        let verdict = gate.judge(&few);
        assert!(!verdict.promoted, "{verdict:?}");
        let Verdict { promoted, reasons } = Gate { margin: 0.2, ..gate }.judge(&many);
        assert!(!promoted && reasons[0].ends_with("a rise of more than 0.200 is asked."), "{reasons:?}");
    }
}

#[test]
fn one_grade_cannot_be_sacrificed_for_the_others() {
    let champion = graded(500, |patient| lucky(patient, 70));
    let challenger = graded(500, |patient| if patient % GRADES == 4 { lucky(patient, 60) } else { lucky(patient, 90) });
    let comparison = compared(&champion, &challenger);
    let verdict = Gate::default().judge(&comparison);
    let [score, recall] = &verdict.reasons[..] else { panic!("{verdict:?}") };
    assert!(!verdict.promoted && score.starts_with("Quadratic kappa rises"), "{verdict:?}");
    assert_eq!(recall, "Recall of grade 4 falls from 0.700 to 0.600, more than the 0.050 that is allowed.");
    let verdict = Gate { recall_drop: 0.1, ..Gate::default() }.judge(&comparison);
    assert!(verdict.promoted && verdict.reasons.len() == 1, "what is just allowed is allowed: {verdict:?}");
    let verdict = Gate { recall_drop: f64::NAN, ..Gate::default() }.judge(&comparison);
    assert!(!verdict.promoted, "no number allows nothing");
}

#[test]
fn a_worse_challenger_is_let_in_where_the_margin_says_so() {
    let champion = graded(500, |patient| lucky(patient, 72));
    let comparison = compared(&champion, &graded(500, |patient| lucky(patient, 71)));
    let gate = Gate { score: GateScore::Accuracy, margin: -0.05, ..Gate::default() };
    let Verdict { promoted, reasons } = gate.judge(&comparison);
    let low = -comparison.accuracy.expect("an accuracy").interval.low;
    let wanted = format!(
        "Accuracy falls from 0.720 to 0.710; with 95 % certainty it falls by no more than {low:.3}, and a fall of less than \
         0.050 is allowed."
    );
    assert!(promoted && reasons == [wanted], "{reasons:?}");
    assert!(!Gate { margin: 0.0, ..gate }.judge(&comparison).promoted);
}

#[test]
fn nothing_is_promoted_on_nothing() {
    let nothing = compared(&[], &[]);
    assert!(all(&nothing).iter().all(Option::is_none));
    let verdict = Gate { margin: -1.0, ..Gate::default() }.judge(&nothing);
    assert_eq!(verdict.reasons, ["There is no gold knee to compare the two on."]);
    assert!(!verdict.promoted);

    let alike: Vec<_> = (0..9).map(|patient| case(patient, KlGrade::ALL[2], KlGrade::ALL[2])).collect();
    let verdict = Gate { margin: -1.0, ..Gate::default() }.judge(&compared(&alike, &alike));
    assert_eq!(verdict.reasons, ["Quadratic kappa has no value: all gold knees are of one grade."]);
    assert!(!verdict.promoted);
    let gate = Gate { score: GateScore::Accuracy, margin: -1.0, patients: 9, ..Gate::default() };
    let Verdict { promoted, reasons } = gate.judge(&compared(&alike, &alike));
    assert!(promoted && reasons.len() == GRADES, "four grades are not there: {reasons:?}");
    assert_eq!(reasons[4], "No gold knee is of grade 4, so its recall is not compared.");
    let Verdict { promoted, reasons } = Gate { patients: 10, ..gate }.judge(&compared(&alike, &alike));
    assert!(!promoted && reasons[1] == "The gold set has 9 patients, and 10 are asked for.", "{reasons:?}");
}

#[test]
fn other_knees_are_no_comparison() {
    let cases = graded(4, |_| true);
    let mut turned = cases.clone();
    turned.swap(0, 1);
    let mut other_truth = cases.clone();
    other_truth[3].truth = KlGrade::ALL[0];
    for other in [&cases[..3], &turned, &other_truth] {
        let why = Comparison::of(&cases, other, SEED).expect_err("not the same knees");
        assert!(why.contains("not of the same knees"), "{why}");
    }
}

#[test]
fn an_infinite_loss_has_no_difference() {
    let mut cases = graded(10, |_| true);
    cases[3].probabilities = Probabilities([1.0, 0.0, 0.0, 0.0, 0.0]);
    let comparison = compared(&graded(10, |_| true), &cases);
    assert!(comparison.log_loss.is_none() && comparison.calibration_error.is_some());
}

/// What both find hard is no difference between them.
#[test]
fn pairs_are_compared_more_sharply_than_strangers() {
    let champion = graded(500, |patient| lucky(patient, 70));
    let difference = compared(&champion, &graded(500, |patient| lucky(patient, 74))).accuracy.expect("an accuracy");
    let width = |Interval { low, high }: Interval| high - low;
    let alone = Intervals::of(&champion, SEED).accuracy.expect("an accuracy");
    assert!(width(difference.interval) < width(alone) / 2.0, "{difference:?} beside {alone:?}");
}

#[test]
fn settings_say_what_is_asked() {
    let gate: Gate = toml::from_str("score = 'macro-f1'\nmargin = -0.01").expect("valid");
    assert_eq!(gate, Gate { score: GateScore::MacroF1, margin: -0.01, ..Gate::default() });
    assert_eq!(toml::from_str::<Gate>("").expect("valid"), Gate::default());
    let why = toml::from_str::<Gate>("score = 'kappa'").expect_err("no such score").to_string();
    assert!(why.contains("quadratic-kappa"), "{why}");
    assert!(toml::from_str::<Gate>("recal_drop = 0.1").is_err());
}

prop_compose! {
    /// Two gradings of up to forty knees of two to twelve patients: of one patient's there is nothing to compare.
    fn two_gradings()(
        knees in prop::collection::vec((0usize..12, 0usize..GRADES, 0usize..GRADES, 0usize..GRADES), 2..40)
    ) -> (Vec<Case>, Vec<Case>) {
        let [one, other] = [0, 1].map(|which| {
            let case = |(place, &(patient, truth, first, second)): (usize, &(usize, usize, usize, usize))| {
                let patient = if place < 2 { place } else { patient };
                case(patient, KlGrade::ALL[truth], KlGrade::ALL[[first, second][which]])
            };
            knees.iter().enumerate().map(case).collect()
        });
        (one, other)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn comparisons_are_of_the_scores_and_turn_with_the_sides((champion, challenger) in two_gradings()) {
        let (there, back) = (compared(&champion, &challenger), compared(&challenger, &champion));
        let [ours, theirs] = [&champion, &challenger].map(|cases| Scores::of(cases));
        let scores = |of: &Scores| {
            let all = [of.accuracy, of.confusion.macro_f1_of_truths(), of.quadratic_kappa, of.calibration_error, of.log_loss];
            all.into_iter().chain(of.grades.iter().map(|grade| grade.recall)).collect::<Vec<_>>()
        };
        let scores = scores(&ours).into_iter().zip(scores(&theirs));
        for ((there, back), (ours, theirs)) in all(&there).into_iter().zip(all(&back)).zip(scores) {
            prop_assert_eq!(there.map(|of| (of.champion, of.challenger)), ours.zip(theirs));
            if let Some((there, back)) = there.zip(back) {
                prop_assert!(there.interval.low <= there.interval.high);
                prop_assert!((there.interval.low + back.interval.high).abs() < 1e-9);
                prop_assert!((there.interval.high + back.interval.low).abs() < 1e-9);
            }
        }
    }

    /// A patient's second knee of the same fate is no second witness.
    #[test]
    fn knees_of_equal_fate_count_once((champion, challenger) in two_gradings()) {
        let twice = |cases: &[Case]| cases.iter().flat_map(|case| [*case; 2]).collect::<Vec<_>>();
        let (once, twice) = (compared(&champion, &challenger), compared(&twice(&champion), &twice(&challenger)));
        for (once, twice) in all(&once).into_iter().zip(all(&twice)) {
            prop_assert_eq!(once.is_some(), twice.is_some());
            if let Some((once, twice)) = once.zip(twice) {
                prop_assert!((once.interval.low - twice.interval.low).abs() < 1e-9);
                prop_assert!((once.interval.high - twice.interval.high).abs() < 1e-9);
            }
        }
    }
}
