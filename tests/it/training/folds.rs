//! Folds: even for lone knees, as even as can be for pairs, alike for the same seed.

use kellgrend::grade::{GRADES, KlGrade};
use kellgrend::training::folds::{self, FoldsError, Patient};
use proptest::prelude::*;
use std::array;

type Knees = [usize; GRADES];

fn knees(of: &[usize]) -> Knees {
    array::from_fn(|grade| of.iter().filter(|&&knee| knee == grade).count())
}

/// Dealt where nobody is in a fold yet.
fn deal(patients: &[Knees], folds: usize, seed: u64) -> Result<Vec<usize>, FoldsError> {
    let free = |&knees: &Knees| Patient { knees, fold: None };
    folds::deal(&patients.iter().map(free).collect::<Vec<_>>(), folds, seed)
}

/// How many knees of each grade each fold got, and how many in all.
fn sums(patients: &[Knees], folds: usize, dealt: &[usize]) -> Vec<[usize; GRADES + 1]> {
    assert_eq!(dealt.len(), patients.len());
    let mut sums = vec![[0; GRADES + 1]; folds];
    for (patient, &fold) in patients.iter().zip(dealt) {
        for (grade, knees) in patient.iter().enumerate() {
            sums[fold][grade] += knees;
            sums[fold][GRADES] += knees;
        }
    }
    sums
}

/// How far the fold that is farthest off is from its even share, of each grade and of all knees.
fn farthest(sums: &[[usize; GRADES + 1]]) -> [f64; GRADES + 1] {
    array::from_fn(|column| {
        let share = sums.iter().map(|sum| sum[column]).sum::<usize>() as f64 / sums.len() as f64;
        sums.iter().map(|sum| (sum[column] as f64 - share).abs()).fold(0.0, f64::max)
    })
}

/// In the proportions of the public set.
fn grade() -> impl Strategy<Value = usize> {
    prop_oneof![39 => Just(0usize), 18 => Just(1), 26 => Just(2), 13 => Just(3), 4 => Just(4)]
}

/// Mostly with both knees, which are mostly alike.
fn patient() -> impl Strategy<Value = Knees> {
    (grade(), grade(), 0..10).prop_map(|(one, other, chance)| match chance {
        0 => knees(&[one]),
        1..=5 => knees(&[one, one]),
        _ => knees(&[one, other]),
    })
}

/// Two patients of each grade, so that there are enough for two folds.
fn lone() -> impl Iterator<Item = Knees> {
    (0..2 * GRADES).map(|patient| knees(&[patient % GRADES]))
}

/// The most folds, up to ten, for which there are enough patients of each grade.
fn folds_for(patients: &[Knees], has: impl Fn(usize) -> bool) -> usize {
    let of = |grade: usize| patients.iter().filter(|knees| has(knees[grade])).count();
    (0..GRADES).map(of).min().expect("grades").min(10)
}

#[test]
fn the_seed_decides() {
    let patients: Vec<_> = (0..100).map(|patient| knees(&[patient % GRADES])).collect();
    let dealt = |seed| deal(&patients, 5, seed).expect("enough");
    assert_eq!(dealt(1), dealt(1));
    assert_ne!(dealt(1), dealt(2));
    assert!(sums(&patients, 5, &dealt(3)).iter().all(|sum| *sum == [4, 4, 4, 4, 4, 20]));
}

#[test]
fn a_grade_that_cannot_be_in_every_fold_is_an_error() {
    let mut patients: Vec<_> = (0..25).map(|patient| knees(&[patient % GRADES])).collect();
    assert!(deal(&patients, 5, 1).is_ok());
    patients.pop();
    let words = |patients: &[Knees], folds| deal(patients, folds, 1).expect_err("too few").to_string();
    let wanted = "only 4 patients have a knee of grade 4 outside the gold set, and 5 folds need one each; label more, or train with fewer ([training] folds)";
    assert_eq!(words(&patients, 5), wanted);
    let lowest = FoldsError::TooFewPatients { grade: KlGrade::ALL[0], patients: 5, folds: 6 };
    assert_eq!(deal(&patients, 6, 1), Err(lowest), "the lowest of all of which there are too few");
    assert!(words(&[], 2).starts_with("no patient has a knee of grade 0 outside the gold set, and 2 folds need"));
    assert!(
        words(&[knees(&[0, 0, 1])], 2).starts_with("only 1 patient has a knee of grade 0 outside"),
        "two knees, one patient"
    );
    for folds in [0, 1] {
        assert_eq!(deal(&patients, folds, 1), Err(FoldsError::TooFewFolds(folds)));
    }
}

#[test]
fn who_is_in_a_fold_stays_there_and_others_make_up_for_it() {
    let patient = |number: usize, fold| Patient { knees: knees(&[number % GRADES]), fold };
    // all who are known are in the first of four folds
    let known = (0..25).map(|number| patient(number, Some(0)));
    let all: Vec<_> = known.chain((0..75).map(|number| patient(number, None))).collect();
    let dealt = folds::deal(&all, 4, 1).expect("enough");
    assert!(dealt[..25].iter().all(|&fold| fold == 0), "{dealt:?}");
    let every: Vec<_> = all.iter().map(|patient| patient.knees).collect();
    assert!(sums(&every, 4, &dealt).iter().all(|sum| *sum == [5, 5, 5, 5, 5, 25]), "{dealt:?}");
    // and where nobody is left to be dealt: the others could learn from nobody
    let grade = KlGrade::ALL[0];
    assert_eq!(folds::deal(&all[..25], 2, 1), Err(FoldsError::OneFold { grade, fold: 0 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lone_knees_are_dealt_evenly(grades in prop::collection::vec(grade(), 40..400), seed: u64) {
        let patients: Vec<_> = grades.into_iter().map(|grade| knees(&[grade])).chain(lone()).collect();
        let folds = folds_for(&patients, |knees| knees > 0);
        let sums = sums(&patients, folds, &deal(&patients, folds, seed).expect("enough"));
        prop_assert!(farthest(&sums).into_iter().all(|knees| knees < 1.0), "{sums:?}");
    }

    /// Where there are patients with one knee of a grade for every fold, those with two of it need not be in the way.
    #[test]
    fn pairs_are_dealt_within_a_knee(some in prop::collection::vec(patient(), 40..400), seed: u64) {
        let patients: Vec<_> = some.into_iter().chain(lone()).collect();
        let folds = folds_for(&patients, |knees| knees == 1);
        let sums = sums(&patients, folds, &deal(&patients, folds, seed).expect("enough"));
        let [grades @ .., all] = farthest(&sums);
        prop_assert!(grades.into_iter().all(|knees| knees <= 1.0) && all <= 2.0, "{sums:?}");
        prop_assert!(sums.iter().flatten().all(|&knees| knees > 0), "{sums:?}");
    }

    /// Two folds of a dozen patients are compared with every other two.
    #[test]
    fn nothing_is_more_even(some in prop::collection::vec(patient(), 2..9), seed: u64) {
        // two patients for each grade
        let enough = [knees(&[0, 1]), knees(&[2, 3]), knees(&[4]), knees(&[0, 1]), knees(&[2, 2]), knees(&[3, 4])];
        let patients: Vec<_> = some.into_iter().chain(enough).collect();
        let uneven = |dealt: &[usize]| {
            let sums = sums(&patients, 2, dealt);
            (0..GRADES).map(|grade| sums[0][grade].abs_diff(sums[1][grade]).pow(2)).sum::<usize>()
        };
        let every = (0..1usize << (patients.len() - 1)).map(|bits| {
            let dealt: Vec<_> = (0..patients.len()).map(|patient| bits >> patient & 1).collect();
            uneven(&dealt)
        });
        let ours = deal(&patients, 2, seed).expect("enough");
        prop_assert_eq!(Some(uneven(&ours)), every.min());
    }
}
