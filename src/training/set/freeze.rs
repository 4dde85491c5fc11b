//! From labelled files to a training set.

use super::super::folds::{FoldsError, Patient, deal};
use super::whose::Whose;
use super::{Folds, Knee, Place, TrainingSet};
use crate::dataset::{Film, Labelled, Passed, Unread};
use crate::decoding::Decoders;
use crate::digest::Digest;
use crate::grade::GRADES;
use crate::training::reading::read_all;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

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
/// What cannot be used, is there twice, or is contradicted, is left out and said in the second value.
///
/// Errors: a file that the machine could not read this time, and [`FoldsError`](super::super::folds::FoldsError).
pub fn freeze(
    files: &[Labelled],
    gold: &GoldSet,
    dealing: &Dealing,
    decoders: &Decoders,
    jobs: usize,
    keep: impl Fn(&str) -> Option<String>,
    seen: impl Fn(),
) -> anyhow::Result<(TrainingSet, Vec<Passed>)> {
    let all: Vec<&Labelled> = gold.files.iter().chain(files).collect();
    let mut sheet =
        Sheet { gold, knees: Vec::new(), passed: Vec::new(), known: HashMap::new(), patients: Patients::default() };
    let mut trouble = Ok(());
    // not its picture, of which there are too many
    let read = |labelled: &&Labelled| {
        labelled.read(decoders).map(|Film { digest, patient, is_named, uids, .. }| Told {
            digest,
            patient,
            is_named,
            uids,
        })
    };
    read_all(&all, jobs, read, |index, outcome| {
        seen();
        let labelled = all[index];
        match outcome {
            Ok(told) => sheet.take(labelled, index < gold.files.len(), told, &keep),
            Err(Unread::Unusable(reason)) => sheet.pass(&labelled.path, reason),
            Err(Unread::Trouble(why)) => {
                trouble = Err(anyhow::anyhow!("{} cannot be read: {why}", labelled.path.display()))
            }
        }
        trouble.is_ok()
    })?;
    trouble?;
    sheet.into_set(dealing)
}

/// What a film says of itself.
struct Told {
    digest: Digest,
    patient: String,
    is_named: bool,
    uids: Vec<String>,
}

/// A training set in the making.
struct Sheet<'a> {
    gold: &'a GoldSet,
    /// In the order in which they came; none where one was contradicted later.
    knees: Vec<Option<Knee>>,
    passed: Vec<Passed>,
    /// By radiograph and knee: its place among the knees.
    known: HashMap<(Digest, usize), usize>,
    patients: Patients,
}

#[derive(Default)]
struct Patients {
    whose: Whose,
    /// Numbers that have turned out to be another's, in this order.
    one: Vec<(String, String)>,
    /// Whose lot is below the share of gold.
    drawn: BTreeSet<String>,
}

impl Sheet<'_> {
    fn pass(&mut self, path: &Path, reason: impl Into<String>) {
        self.passed.push(Passed { file: path.to_owned(), reason: reason.into() });
    }

    fn take(&mut self, labelled: &Labelled, is_gold_file: bool, told: Told, keep: impl Fn(&str) -> Option<String>) {
        let Labelled { path, truth, position, .. } = labelled;
        // a run may go on from another folder
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        if whole.to_str().is_none() {
            return self.pass(path, "its name, or that of a folder above it, is not UTF-8; rename it");
        }
        let radiograph = told.digest;
        let is_gold = is_gold_file || self.gold.radiographs.contains(&radiograph);
        let kept = keep(&told.patient).filter(|_| told.is_named);
        let is_drawn = lot(&told.patient) < self.gold.share;
        let patient = self.patients.number(&told, kept.as_deref());
        // a film that shows one knee has it at the left, whether it is said or not
        let knee = (radiograph, position.unwrap_or(0));
        let Some(&place) = self.known.get(&knee) else {
            if is_drawn {
                self.patients.drawn.insert(patient.clone());
            }
            self.known.insert(knee, self.knees.len());
            let place = if is_gold { Place::Gold } else { Place::Fold(0) };
            let (position, grade) = (*position, *truth);
            return self.knees.push(Some(Knee { radiograph, position, grade, patient, kept, place, path: whole }));
        };
        let contradicted = "the same knee is there with another grade; none of them is used";
        match &self.knees[place] {
            Some(before) if before.grade == *truth => self.pass(path, "the same knee is in the set already"),
            Some(before) if before.place == Place::Gold && !is_gold => {
                self.pass(path, "the gold set has the same knee, with another grade, which stands");
            }
            _ => {
                if let Some(before) = self.knees[place].take() {
                    self.pass(&before.path, contradicted);
                }
                self.pass(path, contradicted);
            }
        }
    }

    fn into_set(self, dealing: &Dealing) -> anyhow::Result<(TrainingSet, Vec<Passed>)> {
        let Self { gold, knees, mut passed, patients: Patients { one, mut drawn, .. }, .. } = self;
        let mut set = TrainingSet { knees: knees.into_iter().flatten().collect() };
        for (other, patient) in one {
            let theirs = set.knees.iter_mut().filter(|knee| knee.patient == other);
            theirs.for_each(|knee| knee.patient.clone_from(&patient));
            if drawn.remove(&other) {
                drawn.insert(patient);
            }
        }
        set.set_gold_apart(&drawn, &gold.known);
        passed.extend(set.part_with_torn(&dealing.kept));
        set.deal(dealing)?;
        Ok((set, passed))
    }
}

impl Patients {
    /// The number of a film's patient.
    fn number(&mut self, Told { digest, patient, is_named, uids }: &Told, kept: Option<&str>) -> String {
        let (number, others) = self.whose.number(*digest, patient, kept, uids, *is_named);
        self.one.extend(others.into_iter().map(|other| (other, number.clone())));
        number
    }
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

    /// Films may tell later than their first run that they are of one patient. Where some of the patient's knees were in one fold and some
    /// in another, no network is a stranger to all of them.
    fn part_with_torn(&mut self, kept: &Folds) -> Vec<Passed> {
        let mut folds: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (_, _, knee) in self.learnt() {
            folds.entry(knee.patient.clone()).or_default().extend(kept.of(knee));
        }
        let is_torn = |knee: &mut Knee| {
            knee.place != Place::Gold && folds.get(&knee.patient).is_some_and(|folds| folds.len() > 1)
        };
        let reason = "its patient's knees were in several folds before it was known whose they are";
        self.knees.extract_if(.., is_torn).map(|knee| Passed { file: knee.path, reason: reason.to_owned() }).collect()
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
