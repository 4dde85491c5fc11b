//! From labelled files to a training set.

use super::super::folds::{FoldsError, Patient, deal};
use super::whose::Whose;
use super::{Folds, Knee, Place, TrainingSet};
use crate::dataset::{Film, Labelled, Passed};
use crate::decoding::Decoders;
use crate::digest::Digest;
use crate::grade::GRADES;
use crate::training::reading::read_all;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which patients are never learnt from. A patient with one gold knee is gold with all.
#[derive(Clone, Debug, Default)]
pub struct GoldSet {
    /// This share of all patients, 0 to 1. A patient's own hash decides, so that who is gold once is gold in every run.
    pub share: f64,
    /// These have been learnt from, and are not drawn.
    pub known: Folds,
    /// Those of these radiographs.
    pub radiographs: BTreeSet<Digest>,
    /// Those of these files, which join the set.
    pub files: Vec<Labelled>,
}

/// How patients are dealt.
#[derive(Clone, Debug)]
pub struct Dealing {
    /// Into how many folds.
    pub folds: usize,
    /// Where chance begins.
    pub seed: u64,
    /// These stay in their folds.
    pub kept: Folds,
}

/// Reads all files, so as to know their bytes and whose they are, and deals the patients to folds. `keep` is how this installation
/// calls a patient, if it may call them anything; what it calls somebody already stays.
///
/// What cannot be read, is there twice, or is contradicted, is left out and said in the second value.
pub fn freeze(
    files: &[Labelled],
    gold: &GoldSet,
    dealing: &Dealing,
    decoders: &Decoders,
    jobs: usize,
    keep: impl Fn(&str) -> Option<String>,
    seen: impl Fn(),
) -> Result<(TrainingSet, Vec<Passed>), FoldsError> {
    let all: Vec<&Labelled> = gold.files.iter().chain(files).collect();
    let mut passed = Vec::new();
    let mut knees: Vec<Knee> = Vec::new();
    // by radiograph and knee: its place among the knees, none once it was contradicted
    let mut known: HashMap<(Digest, usize), Option<usize>> = HashMap::new();
    let mut contradicted = BTreeSet::new();
    let (mut whose, mut one) = (Whose::default(), Vec::new());
    let mut drawn = BTreeSet::new();
    let read = |labelled: &&Labelled| {
        labelled.read(decoders).map(|Film { digest, patient, is_named, .. }| (digest, patient, is_named))
    };
    let mut take = |index: usize, outcome: Result<(Digest, String, bool), String>| {
        seen();
        let Labelled { path, truth, position, .. } = all[index];
        // a run may go on from another folder
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let mut pass = |reason: String| passed.push(Passed { file: path.clone(), reason });
        let (radiograph, patient, is_named) = match outcome {
            Ok(_) if whole.to_str().is_none() => {
                return pass("its name, or that of a folder above it, is not UTF-8; rename it".to_owned());
            }
            Ok(film) => film,
            Err(reason) => return pass(reason),
        };
        // a film that shows one knee has it at the left, whether it is said or not
        let knee = (radiograph, position.unwrap_or(0));
        let is_drawn = lot(&patient) < gold.share;
        let is_gold = index < gold.files.len() || gold.radiographs.contains(&radiograph);
        let kept = keep(&patient).filter(|_| is_named);
        let (patient, others) = whose.number(radiograph, &patient, kept.as_deref(), is_named);
        one.extend(others.into_iter().map(|other| (other, patient.clone())));
        match known.get(&knee).copied() {
            Some(Some(before)) if knees[before].grade == *truth => {
                pass("the same knee is in the set already".to_owned())
            }
            Some(Some(before)) if knees[before].place == Place::Gold && !is_gold => {
                pass("the gold set has the same knee, with another grade, which stands".to_owned())
            }
            Some(before) => {
                pass("the same knee is there with another grade; none of them is used".to_owned());
                contradicted.extend(before);
                known.insert(knee, None);
            }
            None => {
                let place = if is_gold { Place::Gold } else { Place::Fold(0) };
                if is_drawn {
                    drawn.insert(patient.clone());
                }
                known.insert(knee, Some(knees.len()));
                let (position, grade) = (*position, *truth);
                knees.push(Knee { radiograph, position, grade, patient, kept, place, path: whole });
            }
        }
    };
    read_all(&all, jobs, read, |index, outcome| {
        take(index, outcome);
        true
    });
    // in the order in which they turned out to be one
    for (other, patient) in one {
        knees.iter_mut().filter(|knee| knee.patient == other).for_each(|knee| knee.patient.clone_from(&patient));
        if drawn.remove(&other) {
            drawn.insert(patient);
        }
    }
    let mut index = 0..;
    knees.retain(|_| !index.next().is_some_and(|index| contradicted.contains(&index)));
    let mut set = TrainingSet { knees };
    set.set_gold_apart(&drawn, &gold.known);
    set.deal(dealing)?;
    Ok((set, passed))
}

impl TrainingSet {
    /// Whoever was drawn is gold, but for those who are known; and a gold knee takes all of its patient with it.
    fn set_gold_apart(&mut self, drawn: &BTreeSet<String>, known: &Folds) {
        let is_known = |knee: &&Knee| known.of(knee).is_some();
        let known: BTreeSet<_> = self.knees.iter().filter(is_known).map(|knee| knee.patient.clone()).collect();
        let gold = self.gold();
        let mut patients: BTreeSet<String> = gold.iter().map(|knee| knee.patient.clone()).collect();
        patients.extend(drawn.difference(&known).cloned());
        for knee in &mut self.knees {
            if patients.contains(&knee.patient) {
                knee.place = Place::Gold;
            }
        }
    }

    fn deal(&mut self, Dealing { folds, seed, kept }: &Dealing) -> Result<(), FoldsError> {
        let mut patients: BTreeMap<String, Patient> = BTreeMap::new();
        for (_, _, knee) in self.learnt() {
            let nobody = Patient { knees: [0; GRADES], fold: None };
            let patient = patients.entry(knee.patient.clone()).or_insert(nobody);
            patient.knees[knee.grade.index()] += 1;
            patient.fold = patient.fold.or(kept.of(knee));
        }
        let (names, patients): (Vec<_>, Vec<_>) = patients.into_iter().unzip();
        let dealt: HashMap<_, _> = names.into_iter().zip(deal(&patients, *folds, *seed)?).collect();
        for knee in &mut self.knees {
            if let (Place::Fold(_), Some(&fold)) = (knee.place, dealt.get(&knee.patient)) {
                knee.place = Place::Fold(fold);
            }
        }
        Ok(())
    }
}

/// A patient's number from 0 to 1, evenly and for ever.
fn lot(patient: &str) -> f64 {
    let bytes = Digest::of(patient.as_bytes()).bytes();
    let first = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(first) / (f64::from(u32::MAX) + 1.0)
}
