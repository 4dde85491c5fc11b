//! Working on a run: every fit that is open and that nobody else works on, one after the other.

use super::fit::{Beginning, Checkpoint, Epoch, Fit, FitError, Origin, Watch};
use super::parent;
use super::pictures::Pictures;
use super::plan::FitName;
use super::reading::pictures;
use super::recipe::Start;
use super::run::{Progress, Run, Workplace};
use super::set::TrainingSet;
use crate::decoding::Decoders;
use crate::ensemble::{DeviceInUse, Look, Release};
use crate::grade::KlGrade;
use crate::memory::GIVE_BACK_EVERY;
use crate::networks::{Architecture, Form, imagenet, weights::Weights};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a fit waits whose memory was full: longer than it takes a daemon that grades no more to give back what it had.
const MEMORY_PAUSE: Duration = GIVE_BACK_EVERY.saturating_add(Duration::from_secs(30));

/// Who let others go first for so long let them use memory: whoever waits for them at all does so for longer.
const GRADED: Duration = Duration::from_millis(40);

/// And it waits no longer than this: where grading never rests, it gives nothing back.
const MEMORY_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Who follows a run.
pub trait Follow {
    /// Pictures are about to be read for the fits of one image size.
    fn reading(&mut self, knees: usize, side: u32);
    /// A picture was read; false asks to stop.
    fn read(&mut self) -> bool;
    /// A fit begins, or goes on after these epochs.
    fn begins(&mut self, fit: FitName, epochs: &[Epoch]);
    /// A step of an epoch is about to be taken; false asks to stop.
    fn step(&mut self, epoch: usize, step: usize, steps: usize) -> bool;
    /// Others may go first; false asks to stop.
    fn pause(&mut self) -> bool;
    /// An epoch is over and on disk.
    fn epoch(&mut self, fit: FitName, epoch: &Epoch);
    /// A fit is over, perhaps since long ago.
    fn ends(&mut self, fit: FitName, outcome: Result<&[Epoch], &FitError>);
}

/// What fits need beside the run itself.
pub struct Workshop<'a> {
    /// Where they compute.
    pub device: &'a DeviceInUse,
    /// The form in which networks are judged, and will grade.
    pub form: Form,
    /// What decodes.
    pub decoders: Decoders,
    /// Radiographs read at a time.
    pub jobs: usize,
    /// Where ImageNet weights are.
    pub imagenet: &'a Path,
    /// The champion, to begin from.
    pub champion: &'a Release,
    /// The run that made it, to begin from instead: its fits have left out the same patients.
    pub parent: Option<&'a Run>,
    /// Whether failed fits are tried again.
    pub again: bool,
}

/// How the work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is nothing left to begin.
    Done,
    /// Somebody asked to stop.
    Stopped,
}

impl Workshop<'_> {
    /// Works on the open ones of these fits.
    pub fn work(&self, run: &Run, fits: &[FitName], follow: &mut dyn Follow) -> anyhow::Result<End> {
        let set = run.set()?;
        let mut ready: Option<Pictures> = None;
        for &fit in fits {
            let Some(workplace) = run.take(fit)? else { continue };
            match run.progress(fit)? {
                Progress::Open => {}
                Progress::Failed(_) if self.again => workplace.forgive()?,
                Progress::Failed(_) => continue,
                Progress::Fitted(outcome) => {
                    follow.ends(fit, Ok(&outcome.curve));
                    continue;
                }
            }
            let looks = run.plan.looks(fit.network);
            let pictures = match ready.take() {
                Some(pictures) if pictures.looks() == looks => pictures,
                // the old ones are gone before the new ones come
                other => {
                    drop(other);
                    let Some(pictures) = self.pictures(&set, &looks, follow)? else { return Ok(End::Stopped) };
                    pictures
                }
            };
            let mut outcome = self.fit(run, &set, &pictures, fit, &workplace, follow);
            if let Err(FitError::Memory(_)) = &outcome {
                // who else took the memory may be gone soon; what the network itself asks for, it asks for again
                outcome = match self.wait_for_memory(fit, follow) {
                    true => self.fit(run, &set, &pictures, fit, &workplace, follow),
                    false => Err(FitError::Stopped),
                };
            }
            ready = Some(pictures);
            match outcome {
                Ok(curve) => follow.ends(fit, Ok(&curve)),
                Err(FitError::Stopped) => return Ok(End::Stopped),
                // a device that is lost says nothing about the fit, which another process goes on with
                Err(error @ FitError::Torch(_)) if let Err(lost) = self.device.computes() => {
                    return Err(anyhow::anyhow!("{error}; the device computes nothing any more: {lost}"));
                }
                Err(error) => {
                    workplace.failed(&error);
                    follow.ends(fit, Err(&error));
                }
            }
        }
        Ok(End::Done)
    }

    /// Frees what is kept for what comes next, and waits a little; false asks to stop.
    fn wait_for_memory(&self, fit: FitName, follow: &mut dyn Follow) -> bool {
        tracing::warn!(
            "memory is full: {fit} is tried once more when nothing has been graded for {} seconds",
            MEMORY_PAUSE.as_secs()
        );
        self.device.give_back();
        let last = Instant::now() + MEMORY_PATIENCE;
        let mut until = Instant::now() + MEMORY_PAUSE;
        while Instant::now() < until.min(last) {
            let before = Instant::now();
            if !follow.pause() {
                return false;
            }
            if before.elapsed() > GRADED {
                until = Instant::now() + MEMORY_PAUSE;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        true
    }

    fn pictures(&self, set: &TrainingSet, looks: &[Look], follow: &mut dyn Follow) -> anyhow::Result<Option<Pictures>> {
        let knees: Vec<_> = set.learnt().map(|(_, _, knee)| knee).collect();
        follow.reading(knees.len(), looks[0].size());
        pictures(&knees, looks, self.device, &self.decoders, self.jobs, || follow.read())
    }

    fn fit(
        &self,
        run: &Run,
        set: &TrainingSet,
        pictures: &Pictures,
        fit: FitName,
        workplace: &Workplace,
        follow: &mut dyn Follow,
    ) -> Result<Vec<Epoch>, FitError> {
        let truths: Vec<KlGrade> = set.learnt().map(|(_, _, knee)| knee.grade).collect();
        let folds: Vec<usize> = set.learnt().map(|(_, fold, _)| fold).collect();
        let of = |is_left_out: bool| -> Vec<i64> {
            let chosen = folds.iter().enumerate().filter(|(_, fold)| (**fold == fit.fold) == is_left_out);
            chosen.map(|(index, _)| index as i64).collect()
        };
        let (learn, judge) = (of(false), of(true));
        let seed = run.plan.seed_of(fit);
        let task = Fit {
            architecture: fit.network,
            recipe: &run.plan.recipe,
            seed,
            pictures,
            truths: &truths,
            learn: &learn,
            judge: &judge,
            device: self.device.device,
            numbers: self.device.learning_numbers(),
            form: self.form,
        };
        let checkpoint = workplace.checkpoint();
        let curve = checkpoint.as_ref().map_or(&[][..], Checkpoint::curve);
        follow.begins(fit, curve);
        let epochs = curve.len();
        let beginning = self.beginning(run, fit, seed)?;
        let fitted = task.run(beginning, checkpoint, &mut Following { fit, epochs, workplace, follow })?;
        workplace.fitted(&fitted.weights, fitted.curve.clone(), fitted.logits)?;
        Ok(fitted.curve)
    }

    fn beginning(&self, run: &Run, fit: FitName, seed: u64) -> Result<Beginning, FitError> {
        // a new last layer is random, too
        tch::manual_seed(seed.cast_signed());
        let bytes = match run.plan.recipe.start {
            Start::Scratch => None,
            Start::Imagenet => Some(self.imagenet(fit.network)?),
            Start::Release if let Some(parent) = self.parent => {
                parent::weights(parent, fit).map_err(|error| FitError::Beginning(format!("{error:#}")))?
            }
            Start::Release => {
                let member = self.champion.members().find(|member| member.entry().architecture == fit.network);
                let bytes = member.map(|member| member.bytes()).transpose();
                bytes.map_err(|error| FitError::Beginning(error.to_string()))?
            }
        };
        let origin = match (run.plan.recipe.start, &bytes) {
            (_, None) => Origin::Untrained,
            (Start::Imagenet, Some(_)) => Origin::Imagenet,
            (_, Some(_)) => Origin::Release,
        };
        let weights = bytes.map_or_else(|| Ok(Weights::untrained(seed)), Weights::from_bytes)?;
        Ok(Beginning { weights, origin })
    }

    fn imagenet(&self, network: Architecture) -> Result<Vec<u8>, FitError> {
        let known = imagenet::FILES.iter().find(|file| file.architecture == network);
        let path = self.imagenet.join(known.map(|known| known.file).unwrap_or_default());
        std::fs::read(&path).map_err(|error| {
            let path = path.display();
            FitError::Beginning(format!("{path}: {error}; `kellgrend models download` fetches it"))
        })
    }
}

/// One fit, followed.
struct Following<'a> {
    fit: FitName,
    epochs: usize,
    workplace: &'a Workplace,
    follow: &'a mut dyn Follow,
}

impl Watch for Following<'_> {
    fn step(&mut self, step: usize, steps: usize) -> bool {
        self.follow.step(self.epochs + 1, step, steps)
    }

    fn pause(&mut self) -> bool {
        self.follow.pause()
    }

    fn epoch(&mut self, epoch: &Epoch, checkpoint: Option<Checkpoint>) -> Result<(), FitError> {
        if let Some(checkpoint) = checkpoint {
            self.workplace.keep(&checkpoint)?;
        }
        self.epochs = epoch.epoch;
        self.follow.epoch(self.fit, epoch);
        Ok(())
    }
}
