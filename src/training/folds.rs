//! Patients dealt to folds: each whole in one fold, and every grade's knees spread as evenly as they can be.
//!
//! Two knees of one patient are no strangers: a network that learned from one must not be examined on the other. And the
//! rarest grade has so few knees that chance alone would leave some fold without.

use crate::grade::{GRADES, KlGrade};
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use std::{array, collections::BTreeMap, iter};

/// After so many changes in a row that made nothing more even, nothing more is expected of them.
const PATIENCE: usize = 100_000;

/// Why there are no folds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldsError {
    /// Each fold is held back once, and the others are learned from.
    #[error("at least 2 folds are needed, one to learn from and one held back, not {0}")]
    TooFewFolds(usize),
    /// Some fold would have no knee of a grade.
    #[error(
        "{} a knee of grade {grade} outside the gold set, and {folds} folds need one each; label more{}",
        have(*.patients),
        if *.patients < 2 { "" } else { ", or train with fewer ([training] folds)" }
    )]
    TooFewPatients {
        /// The lowest grade of which this is true.
        grade: KlGrade,
        /// How many patients have a knee of it.
        patients: usize,
        /// How many folds were asked for.
        folds: usize,
    },
    /// Whoever has a knee of a grade stays in the same fold as before, which must learn from the others.
    #[error(
        "all knees of grade {grade} are of patients who stay in fold {}, where an earlier run had them; label more, or begin anew \
         (--recipe scratch)",
        .fold + 1
    )]
    OneFold {
        /// The lowest grade of which this is true.
        grade: KlGrade,
        /// Counted from 0.
        fold: usize,
    },
}

fn have(patients: usize) -> String {
    match patients {
        0 => "no patient has".into(),
        1 => "only 1 patient has".into(),
        _ => format!("only {patients} patients have"),
    }
}

/// One of those who are dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patient {
    /// How many knees of each grade.
    pub knees: [usize; GRADES],
    /// The fold that the patient stays in, from 0.
    pub fold: Option<usize>,
}

/// Each patient's fold, from 0.
///
/// In every fold there are as many knees of a grade as its even share, rounded up or down, and then as many knees in
/// all, unless patients who stay where they are or have several knees leave no such way. The same patients, folds and
/// seed are dealt alike.
pub fn deal(patients: &[Patient], folds: usize, seed: u64) -> Result<Vec<usize>, FoldsError> {
    if folds < 2 {
        return Err(FoldsError::TooFewFolds(folds));
    }
    for grade in KlGrade::ALL {
        let having = patients.iter().filter(|patient| patient.knees[grade.index()] > 0);
        let patients = having.clone().count();
        if patients < folds {
            return Err(FoldsError::TooFewPatients { grade, patients, folds });
        }
        let mut stay = having.map(|patient| patient.fold);
        if let Some(Some(fold)) = stay.next()
            && stay.all(|other| other == Some(fold))
        {
            return Err(FoldsError::OneFold { grade, fold });
        }
    }
    // patients with the same knees are alike, so first is settled how many of a kind a fold gets, then who they are
    let mut kinds: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let mut kept = vec![[0; GRADES]; folds];
    for (number, patient) in patients.iter().enumerate() {
        let knees = patient.knees.map(|count| count as i64);
        match patient.fold {
            Some(fold) => kept[fold] = array::from_fn(|grade| kept[fold][grade] + knees[grade]),
            None => kinds.entry(knees).or_default().push(number),
        }
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut table = Table::dealt(&kinds, kept);
    table.even_out(&mut chance);
    let mut fold_of: Vec<_> = patients.iter().map(|patient| patient.fold.unwrap_or_default()).collect();
    for (mut members, shares) in kinds.into_values().zip(table.shares) {
        members.shuffle(&mut chance);
        let places = shares.into_iter().enumerate().flat_map(|(fold, share)| iter::repeat_n(fold, share));
        for (patient, fold) in members.into_iter().zip(places) {
            fold_of[patient] = fold;
        }
    }
    Ok(fold_of)
}

/// How many knees of each grade, of a patient or a fold; below 0 in a difference.
type Knees = [i64; GRADES];

struct Table {
    kinds: Vec<Knees>,
    /// How many patients of each kind each fold has.
    shares: Vec<Vec<usize>>,
    /// What they add up to, by fold.
    knees: Vec<Knees>,
}

impl Table {
    /// Dealt like cards, one kind after another, to the knees that are in the folds already.
    fn dealt(kinds: &BTreeMap<Knees, Vec<usize>>, kept: Vec<Knees>) -> Self {
        let folds = kept.len();
        let mut table = Self { kinds: kinds.keys().copied().collect(), shares: Vec::new(), knees: kept };
        let mut turns = (0..folds).cycle();
        for (kind, members) in kinds {
            let mut shares = vec![0; folds];
            for fold in turns.by_ref().take(members.len()) {
                shares[fold] += 1;
                table.knees[fold] = array::from_fn(|grade| table.knees[fold][grade] + kind[grade]);
            }
            table.shares.push(shares);
        }
        table
    }

    /// A patient of some kind goes to another fold, alone or for one of another kind, and stays there unless that makes
    /// the folds less even. What changes nothing is welcome, too: it leads out of most places where no single step helps.
    fn even_out(&mut self, chance: &mut ChaCha8Rng) {
        let (kinds, folds) = (self.kinds.len(), self.knees.len());
        let mut in_vain = 0;
        while kinds > 0 && in_vain < PATIENCE {
            in_vain += 1;
            let from = chance.random_range(0..folds);
            let to = (from + chance.random_range(1..folds)) % folds;
            let goes = chance.random_range(0..kinds);
            // one more than there are kinds, for nobody
            let comes = Some(chance.random_range(0..=kinds)).filter(|&kind| kind < kinds);
            if self.shares[goes][from] == 0 || comes.is_some_and(|kind| self.shares[kind][to] == 0) {
                continue;
            }
            let moved: Knees =
                array::from_fn(|grade| self.kinds[goes][grade] - comes.map_or(0, |kind| self.kinds[kind][grade]));
            let change = unevenness(&moved, &self.knees[from], &self.knees[to]);
            if change > (0, 0) {
                continue;
            }
            if change < (0, 0) {
                in_vain = 0;
            }
            self.knees[from] = array::from_fn(|grade| self.knees[from][grade] - moved[grade]);
            self.knees[to] = array::from_fn(|grade| self.knees[to][grade] + moved[grade]);
            for (kind, from, to) in iter::once((goes, from, to)).chain(comes.map(|kind| (kind, to, from))) {
                self.shares[kind][from] -= 1;
                self.shares[kind][to] += 1;
            }
        }
    }
}

/// What a move adds to the sum of the squares of the folds' knees, halved; that sum is least where the folds are alike.
/// Of each grade's knees first; all knees together decide between moves that are equal there.
fn unevenness(moved: &Knees, from: &Knees, to: &Knees) -> (i64, i64) {
    // (from - moved)^2 + (to + moved)^2 - from^2 - to^2
    let halved = |moved: i64, from: i64, to: i64| moved * (moved - from + to);
    let grades = (0..GRADES).map(|grade| halved(moved[grade], from[grade], to[grade])).sum();
    (grades, halved(moved.iter().sum(), from.iter().sum(), to.iter().sum()))
}
