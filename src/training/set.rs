//! The training set of a run: which knees, what is said of them, whose they are, and which fold leaves them out. Frozen.

mod files;
mod freeze;
mod whose;

pub use files::{FILES, KNEES, Tables};
pub use freeze::{Dealing, GoldSet, freeze};

use crate::dataset::{Film, Labelled};
use crate::decoding::Decoders;
use crate::digest::Digest;
use crate::evaluation::numbered;
use crate::grade::{GRADES, KlGrade};
use image::GrayImage;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

/// How the numbers of patients begin whom a film or its name tells apart.
const NAMED: char = 'p';

/// And of those who are told by nothing: each film is a patient of its own.
const NAMELESS: char = 'n';

/// Where a knee is in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Left out by this fold, counted from 0, and learnt from by all others.
    Fold(usize),
    /// Never learnt from: champion and challenger are compared on it.
    Gold,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fold(fold) => write!(f, "fold {}", fold + 1),
            Self::Gold => f.write_str("gold"),
        }
    }
}

/// One knee of a training set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knee {
    /// SHA-256 of the radiograph's bytes.
    pub radiograph: Digest,
    /// Which knee of it, from the picture's left; none for its only one.
    pub position: Option<usize>,
    /// What is said of it.
    pub grade: KlGrade,
    /// Whose it is: a letter and a running number, from which nobody is known again.
    pub patient: String,
    /// What this installation calls the patient, if it may: the same in all of its runs.
    pub kept: Option<String>,
    /// Its fold.
    pub place: Place,
    /// Its file.
    pub path: PathBuf,
}

/// The knees, in the order of the files' names or in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSet {
    /// All of them.
    pub knees: Vec<Knee>,
}

/// The folds of patients, by their radiographs and, where the installation has a name for them, by that.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    radiographs: HashMap<Digest, usize>,
    patients: HashMap<String, usize>,
}

impl Folds {
    /// A knee's patient is in a fold, counted from 0, unless another is known.
    pub fn add(&mut self, knee: &Knee, fold: usize) {
        self.radiographs.entry(knee.radiograph).or_insert(fold);
        if let Some(kept) = &knee.kept {
            self.patients.entry(kept.clone()).or_insert(fold);
        }
    }

    /// The fold of a knee's patient.
    pub fn of(&self, knee: &Knee) -> Option<usize> {
        self.of_film(&knee.radiograph, knee.kept.as_deref())
    }

    /// The fold of the patient of a film, whom the installation calls so.
    pub fn of_film(&self, radiograph: &Digest, kept: Option<&str>) -> Option<usize> {
        self.radiographs.get(radiograph).or_else(|| self.patients.get(kept?)).copied()
    }
}

/// One line of the table of folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub place: Place,
    /// Patients in it.
    pub patients: usize,
    /// Knees in it, by grade.
    pub knees: [usize; GRADES],
}

impl TrainingSet {
    /// The knees that are left out by a fold or learnt from by others, and their place in the set.
    pub fn learnt(&self) -> impl Iterator<Item = (usize, usize, &Knee)> {
        self.knees.iter().enumerate().filter_map(|(index, knee)| match knee.place {
            Place::Fold(fold) => Some((index, fold, knee)),
            Place::Gold => None,
        })
    }

    /// The gold knees.
    pub fn gold(&self) -> Vec<&Knee> {
        self.knees.iter().filter(|knee| knee.place == Place::Gold).collect()
    }

    /// A number for each patient, in the order of the knees.
    pub fn patients(&self) -> Vec<usize> {
        numbered(self.knees.iter().map(|knee| knee.patient.as_str()))
    }

    /// How many patients and knees there are in each fold and in the gold set.
    pub fn shares(&self) -> Vec<Share> {
        let mut shares: BTreeMap<Place, (BTreeSet<&str>, [usize; GRADES])> = BTreeMap::new();
        for knee in &self.knees {
            let (patients, knees) = shares.entry(knee.place).or_default();
            patients.insert(&knee.patient);
            knees[knee.grade.index()] += 1;
        }
        let share =
            |(place, (patients, knees)): (Place, (BTreeSet<&str>, _))| Share { place, patients: patients.len(), knees };
        shares.into_iter().map(share).collect()
    }
}

impl Knee {
    /// Whether nothing tells whose it is, so that it counts as a patient's of its own.
    pub fn is_nameless(&self) -> bool {
        self.patient.starts_with(NAMELESS)
    }

    /// Its picture. A file that is not what it was when the set was frozen is an error, which names it.
    pub fn read(&self, decoders: &Decoders) -> Result<GrayImage, String> {
        Ok(self.film(decoders)?.knee)
    }

    /// The same, with all that the film says.
    pub fn film(&self, decoders: &Decoders) -> Result<Film, String> {
        let Self { position, grade, path, .. } = self;
        let film =
            Labelled { path: path.clone(), truth: *grade, graded: None, position: *position, patient_by_name: None }
                .read(decoders);
        let film = film.map_err(|unread| unread.to_string());
        let film = film.and_then(|film| match film.digest == self.radiograph {
            true => Ok(film),
            false => Err("it has changed since the run began".to_owned()),
        });
        film.map_err(|why| format!("{} belongs to the training set and cannot be read: {why}", path.display()))
    }
}
