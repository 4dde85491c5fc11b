//! Radiographs whose grades are known: their folder says it, or readers do.

use crate::decoding::{DecodeError, Decoders};
use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::ledger::LabelledKnee;
use crate::radiograph::{is_somebodys, patient_from_name, side_from_name};
use crate::side::Side;
use crate::state::State;
use anyhow::Context as _;
use image::GrayImage;
use serde::Serialize;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A knee and what is said of it.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The radiograph's file.
    pub path: PathBuf,
    /// What is said.
    pub truth: KlGrade,
    /// The bytes that were graded, where what lies there now must still be those.
    pub graded: Option<Digest>,
    /// Which knee of the file, from the picture's left; none for its only one.
    pub position: Option<usize>,
    /// What the name it came with said of the patient, where it has another name now.
    pub patient_by_name: Option<String>,
}

/// A file that cannot be used, and why.
#[derive(Debug, Serialize)]
pub struct Passed {
    /// The file, or the SHA-256 of one that is not there.
    #[serde(serialize_with = "in_words")]
    pub file: PathBuf,
    /// Why, in a sentence.
    pub reason: String,
}

impl fmt::Display for Passed {
    /// In one line, whatever the file is called.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, reason } = self;
        write!(f, "{}", format!("{}: {reason}", file.display()).replace(char::is_control, "?"))
    }
}

/// JSON has no room for a name that is not UTF-8, and the answer is not to be lost for one.
fn in_words<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A labelled knee that has been read.
pub struct Film {
    /// SHA-256 of the radiograph's bytes.
    pub digest: Digest,
    /// Whose it is: the patient ID or, without one, what the file's name says before a side, what the name it came with said, the
    /// study. Where nothing tells, the film is a patient's of its own, who goes by its digest: files in two folders may have one name.
    pub patient: String,
    /// Whether anything tells.
    pub is_named: bool,
    /// Its study and itself, as DICOM calls them: what another film calls so, too, is of the same patient.
    pub uids: Vec<String>,
    /// The patient's side.
    pub side: Side,
    /// Its picture.
    pub knee: GrayImage,
}

/// Why a labelled knee was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is of no use as it is, and others do without it.
    #[error("{0}")]
    Unusable(String),
    /// The machine's trouble: it may be read the next time.
    #[error("{0}")]
    Trouble(String),
}

/// The knees whose readers say one grade, as the ledger has them, and those of them whose originals are gone. An archive that cannot
/// be read is an error: it may be there again tomorrow.
pub fn on_record(state: &State) -> anyhow::Result<(Vec<Labelled>, Vec<Passed>)> {
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for LabelledKnee { radiograph, position, grade, patient_by_name } in LabelledKnee::all(&state.ledger)? {
        match state.archived(&radiograph).context("the archive cannot be read")? {
            Some(path) => {
                let (graded, position) = (Some(radiograph), Some(position));
                there.push(Labelled { path, truth: grade, graded, position, patient_by_name });
            }
            None => {
                let reason = "its original is not in the archive".to_owned();
                gone.push(Passed { file: radiograph.to_string().into(), reason });
            }
        }
    }
    Ok((there, gone))
}

/// Those whose folder says a grade, and how many others there are.
pub fn in_folders(files: Vec<PathBuf>) -> (Vec<Labelled>, usize) {
    let all = files.len();
    let said = |path: PathBuf| {
        let truth = grade_of(&path)?;
        Some(Labelled { path, truth, graded: None, position: None, patient_by_name: None })
    };
    let labelled: Vec<_> = files.into_iter().filter_map(said).collect();
    let others = all - labelled.len();
    (labelled, others)
}

impl Labelled {
    /// Reads the knee.
    pub fn read(&self, decoders: &Decoders) -> Result<Film, Unread> {
        let Self { path, graded, position, patient_by_name, .. } = self;
        let mut bytes = Vec::new();
        // one that has grown without end is refused as too large
        std::fs::File::open(path)?.take(decoders.limits().max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        let digest = Digest::of(&bytes);
        if graded.is_some_and(|graded| graded != digest) {
            return Err(unusable(
                "its bytes are not those that were graded: somebody has changed them, or the disk has",
            ));
        }
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let decoded = decoders.decode(&bytes, side_from_name(&name))?;
        let knee = match (&decoded.crops[..], position) {
            ([knee], None) => knee,
            (_, None) => return Err(unusable("it shows two knees, and its folder says one grade")),
            (knees, Some(position)) => {
                knees.get(*position).ok_or_else(|| unusable("it does not show that knee any more"))?
            }
        };
        // in the archive, which names films by their bytes, the two knees of a study are still one patient's
        let named = patient_from_name(&name).or(patient_by_name.as_deref()).or(decoded.study_uid());
        let patient = decoded.patient_id().filter(|id| is_somebodys(id)).or(named);
        let is_named = patient.is_some();
        Ok(Film {
            digest,
            patient: patient.map_or_else(|| digest.to_string(), str::to_owned),
            is_named,
            uids: decoded.uids().map(str::to_owned).collect(),
            side: decoded.sides.get(position.unwrap_or(0)).copied().unwrap_or_default(),
            knee: knee.clone(),
        })
    }
}

fn unusable(why: &str) -> Unread {
    Unread::Unusable(why.to_owned())
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, NotConnected, OutOfMemory};
        use io::ErrorKind::{StaleNetworkFileHandle, TimedOut};
        let is_of_machine = match error.kind() {
            // a share is away, or memory is full
            HostUnreachable
            | NetworkDown
            | NetworkUnreachable
            | NotConnected
            | OutOfMemory
            | StaleNetworkFileHandle
            | TimedOut => true,
            _ => matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)),
        };
        // a bad sector under one of thousands is no reason to learn from none
        if is_of_machine { Self::Trouble(error.to_string()) } else { Self::Unusable(error.to_string()) }
    }
}

impl From<DecodeError> for Unread {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Refused(refused) => Self::Unusable(refused.to_string()),
            DecodeError::Process(_) => Self::Trouble(error.to_string()),
        }
    }
}

/// The grade that the folder right above a file is named after: `3`, `KL3`, `kl_3`, `grade 3`, `3_moderate`.
fn grade_of(path: &Path) -> Option<KlGrade> {
    let folder = std::path::absolute(path).ok()?.parent()?.file_name()?.to_str()?.to_ascii_lowercase();
    let digits: Vec<&str> = folder.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect();
    let [digit] = digits[..] else { return None };
    let (before, after) = folder.split_once(digit)?;
    let is_grade =
        matches!(before.trim_end_matches(['_', '-', ' ']), "" | "kl" | "grade" | "kl_grade" | "kl-grade" | "kl grade");
    let is_name = after.is_empty() || after.starts_with(['_', '-', ' ']);
    digit.parse().ok().and_then(|digit: u8| KlGrade::try_from(digit).ok()).filter(|_| is_grade && is_name)
}
