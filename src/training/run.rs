//! The folder of a run: its plan, its training set, and a folder for each fit. All that several processes need to share it.

use super::fit::{Checkpoint, Epoch, FitError};
use super::gate::Verdict;
use super::plan::{FitName, Plan};
use super::set::{FILES, KNEES, Tables, TrainingSet};
use crate::digest::Digest;
use crate::ensemble::release::plain_name;
use crate::grade::GRADES;
use crate::state::{PARTIAL, make_folder, replace, write_once};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A run's list of files has the names that they came with.
const FOR_THE_OWNER: u32 = 0o700;

const PLAN: &str = "run.toml";
const LOCK: &str = "lock";
const CHECKPOINT: &str = "checkpoint.safetensors";
const WEIGHTS: &str = "weights.safetensors";
const OUTCOME: &str = "outcome.json";
const FAILURE: &str = "failure.txt";
const RELEASE: &str = "release";
const VERDICT: &str = "verdict.json";

/// A run that was begun.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its plan.
    pub plan: Plan,
    folder: PathBuf,
}

/// How far a fit is.
#[derive(Debug)]
pub enum Progress {
    /// It is not over.
    Open,
    /// It has a network.
    Fitted(Outcome),
    /// It has none, and why.
    Failed(String),
}

/// What a fit leaves behind, beside its weights.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// SHA-256 of the weights.
    pub weights: Digest,
    /// Epoch by epoch.
    pub curve: Vec<Epoch>,
    /// The logits of the knees that were left out, in the order of the training set.
    pub logits: Vec<[f32; GRADES]>,
}

/// The right to work on a fit; the system takes it back when the process ends, however it ends.
pub struct Workplace {
    folder: PathBuf,
    _lock: File,
}

impl Run {
    /// Begins a run, whole or not at all.
    pub fn create(training: &Path, plan: Plan, Tables { knees, files }: &Tables) -> anyhow::Result<Self> {
        let text = toml::to_string(&plan)?;
        let all = [(PLAN, text.as_bytes()), (KNEES, knees), (FILES, files)];
        let folder = write_once(training, &plan.name, FOR_THE_OWNER, &all).with_context(|| {
            let path = training.join(&plan.name);
            format!("the run cannot be written to {}; choose another name where there is one", path.display())
        })?;
        Ok(Self { plan, folder })
    }

    /// Opens a run by its name.
    pub fn open(training: &Path, name: &str) -> anyhow::Result<Self> {
        // whoever names it, no name leads out of there
        plain_name(name).map_err(anyhow::Error::msg)?;
        let folder = training.join(name);
        let path = folder.join(PLAN);
        let text = fs::read_to_string(&path).map_err(|error| {
            let is_absent = error.kind() == io::ErrorKind::NotFound;
            let words = if is_absent { format!("there is no run {name:?}: ") } else { String::new() };
            anyhow::Error::new(error).context(format!("{words}{}", path.display()))
        })?;
        let plan = toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
        Ok(Self { plan, folder })
    }

    /// Its training set, as it was frozen.
    pub fn set(&self) -> anyhow::Result<TrainingSet> {
        let read =
            |name: &str| fs::read(self.folder.join(name)).with_context(|| self.folder.join(name).display().to_string());
        let (knees, files) = (read(KNEES)?, read(FILES)?);
        let path = self.folder.join(KNEES);
        anyhow::ensure!(Digest::of(&knees) == self.plan.knees, "{} has changed since the run began", path.display());
        TrainingSet::from_csv(&knees, &files).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How far a fit is.
    pub fn progress(&self, fit: FitName) -> anyhow::Result<Progress> {
        let folder = self.of(fit);
        let path = folder.join(OUTCOME);
        match fs::read(&path) {
            Ok(bytes) => {
                let outcome = serde_json::from_slice(&bytes);
                return Ok(Progress::Fitted(outcome.with_context(|| format!("{} is damaged", path.display()))?));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
        Ok(fs::read_to_string(folder.join(FAILURE))
            .map_or(Progress::Open, |reason| Progress::Failed(reason.trim().to_owned())))
    }

    /// Whether all fits have ended.
    pub fn has_ended(&self) -> anyhow::Result<bool> {
        for fit in self.plan.fits() {
            if matches!(self.progress(fit)?, Progress::Open) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The right to work on a fit, unless another process has it.
    pub fn take(&self, fit: FitName) -> io::Result<Option<Workplace>> {
        Workplace::take(&self.of(fit))
    }

    /// The right to make the release, unless another process has it.
    pub fn take_end(&self) -> io::Result<Option<Workplace>> {
        Workplace::take(&self.folder.join(RELEASE))
    }

    /// A folder for what is needed only until the release is made: whoever makes it holds the right to, and what is left by a
    /// process that was killed goes when the right is taken again.
    pub fn scratch(&self) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(PARTIAL).tempdir_in(self.folder.join(RELEASE))
    }

    /// The gate's word on the release with this digest, kept before there is one: whoever finds the release there knows what
    /// was said of it.
    pub fn keep_verdict(&self, release: Digest, verdict: &Verdict) -> anyhow::Result<()> {
        let path = self.folder.join(RELEASE).join(VERDICT);
        replace(&path, &serde_json::to_vec(&(release, verdict))?).with_context(|| path.display().to_string())
    }

    /// The same read back; none where it was said of another release, or of none.
    pub fn verdict(&self, release: Digest) -> anyhow::Result<Option<Verdict>> {
        let path = self.folder.join(RELEASE).join(VERDICT);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.with_context(|| path.display().to_string())?,
        };
        let (of, verdict): (Digest, Verdict) =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
        Ok((of == release).then_some(verdict))
    }

    /// The weights of a fit that has a network.
    pub fn weights(&self, fit: FitName, outcome: &Outcome) -> anyhow::Result<Vec<u8>> {
        let path = self.of(fit).join(WEIGHTS);
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        anyhow::ensure!(Digest::of(&bytes) == outcome.weights, "{} has changed since it was written", path.display());
        Ok(bytes)
    }

    fn of(&self, fit: FitName) -> PathBuf {
        self.folder.join("fits").join(fit.folder())
    }
}

impl Workplace {
    fn take(folder: &Path) -> io::Result<Option<Self>> {
        make_folder(folder)?;
        let lock = File::options().write(true).create(true).truncate(false).open(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {
                sweep(folder)?;
                Ok(Some(Self { folder: folder.to_owned(), _lock: lock }))
            }
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// The last checkpoint, if one was written. One that cannot be read is said in the log, and the fit begins anew.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let bytes = fs::read(self.folder.join(CHECKPOINT)).ok()?;
        let checkpoint = Checkpoint::from_bytes(&bytes);
        checkpoint.map_err(|error| tracing::warn!("{error}; the fit begins anew")).ok()
    }

    /// Takes the place of the last checkpoint.
    pub fn keep(&self, checkpoint: &Checkpoint) -> Result<(), FitError> {
        Ok(replace(&self.folder.join(CHECKPOINT), &checkpoint.to_bytes()?)?)
    }

    /// The fit has a network.
    pub fn fitted(&self, weights: &[u8], curve: Vec<Epoch>, logits: Vec<[f32; GRADES]>) -> Result<(), FitError> {
        replace(&self.folder.join(WEIGHTS), weights)?;
        let outcome = Outcome { weights: Digest::of(weights), curve, logits };
        let text = serde_json::to_vec(&outcome).map_err(io::Error::from)?;
        // with this file the fit is over
        replace(&self.folder.join(OUTCOME), &text)?;
        let _gone = fs::remove_file(self.folder.join(CHECKPOINT));
        Ok(())
    }

    /// The fit has none. On a full disk even this may fail, and the fit is tried again by the next process.
    pub fn failed(&self, error: &FitError) {
        // another time it would be of no more use
        let is_gone = matches!(error, FitError::Checkpoint(_)) && fs::remove_file(self.folder.join(CHECKPOINT)).is_ok();
        let what_then = if is_gone { "; it was removed, and with --again the fit begins anew" } else { "" };
        if let Err(trouble) = replace(&self.folder.join(FAILURE), format!("{error}{what_then}\n").as_bytes()) {
            tracing::warn!("why a fit failed cannot be written: {trouble}");
        }
    }

    /// A failed fit may be tried again.
    pub fn forgive(&self) -> io::Result<()> {
        match fs::remove_file(self.folder.join(FAILURE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Removes what a process that was killed was writing.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
            let remove = if entry.file_type()?.is_dir() { fs::remove_dir_all } else { fs::remove_file };
            remove(entry.path())?;
        }
    }
    Ok(())
}
