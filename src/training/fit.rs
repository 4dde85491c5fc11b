//! One network learns from all folds but one, and is judged on that.

mod checkpoint;
mod error;
mod judge;
mod learner;
mod progress;

pub use checkpoint::Checkpoint;
pub use error::FitError;
pub use learner::{Learner, Lesson};
pub use progress::{Epoch, Watch};

use super::{
    mixing::mixed,
    parameters::Learning,
    pictures::Pictures,
    recipe::{Balance, Keep, Recipe},
};
use crate::digest::Digest;
use crate::gpu::{copy, copy_to};
use crate::grade::{GRADES, KlGrade};
use crate::networks::{Architecture, Form, weights::Weights};
use judge::{Judged, judge};
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;
use tch::{Device, Kind, TchError, Tensor};

/// What is to be done.
pub struct Fit<'a> {
    /// The network.
    pub architecture: Architecture,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// Where chance begins.
    pub seed: u64,
    /// All knees of the training set.
    pub pictures: &'a Pictures,
    /// What is said of each.
    pub truths: &'a [KlGrade],
    /// Those to learn from, as indices.
    pub learn: &'a [i64],
    /// Those that are left out, to be judged.
    pub judge: &'a [i64],
    /// Where it computes.
    pub device: Device,
    /// The numbers that convolutions compute in while they learn.
    pub numbers: Kind,
    /// The form in which it is judged, and will grade.
    pub form: Form,
}

/// First weights.
pub struct Beginning {
    /// The tensors, by name.
    pub weights: Weights,
    /// What they know.
    pub origin: Origin,
}

/// What first weights know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing.
    Untrained,
    /// torchvision's 1000 classes of ImageNet, so that their last layer is no use.
    Imagenet,
    /// Knees: the release in service, or the run that it came from.
    Release,
}

/// A network that was fitted.
pub struct Fitted {
    /// Its weights, safetensors in float16.
    pub weights: Vec<u8>,
    /// The mean over all views of the logits of each knee that was left out.
    pub logits: Vec<[f32; GRADES]>,
    /// Epoch by epoch.
    pub curve: Vec<Epoch>,
}

/// How often the device is asked how it goes: each time it has to finish what it was given.
const LOOK_EVERY: usize = 16;

impl Fit<'_> {
    /// Fits it from the beginning or from a checkpoint. Every epoch is shown to `watch`, with what it takes to go on from it.
    pub fn run(
        &self,
        beginning: Beginning,
        checkpoint: Option<Checkpoint>,
        watch: &mut dyn Watch,
    ) -> Result<Fitted, FitError> {
        let blends = self.recipe.blend > 0.0 && beginning.origin == Origin::Release;
        let learner = Learner::new(self.architecture, beginning, self.recipe, self.numbers, self.device)?;
        let first = blends.then(|| copy(&learner.average)).transpose()?;
        let mut state = State { learner, first, best: None, misses: 0, curve: Vec::new() };
        if let Some(checkpoint) = checkpoint {
            checkpoint.give_back(&mut state)?;
        }
        while !self.has_ended(&state) {
            self.epoch(&mut state, watch)?;
        }
        let kept = match (self.recipe.keep, &state.best) {
            (Keep::Best, Some(best)) => best,
            _ => &state.learner.average,
        };
        let weights = state.blended(kept, self.recipe)?;
        let State { curve, .. } = state;
        let Judged { logits, .. } = judge(self, &weights, curve.len(), watch)?;
        Ok(Fitted { weights, logits, curve })
    }

    fn has_ended(&self, state: &State) -> bool {
        let has_enough = self.recipe.patience > 0 && state.misses >= self.recipe.patience;
        has_enough || state.curve.len() >= self.recipe.epochs
    }

    /// One epoch, judged and remembered.
    fn epoch(&self, state: &mut State, watch: &mut dyn Watch) -> Result<(), FitError> {
        let began = Instant::now();
        let number = state.curve.len();
        if number == self.recipe.head_epochs {
            state.learner.forget(self.recipe)?;
        }
        let (train_loss, rate) = self.learn(number, &mut state.learner, watch)?;
        let judged = judge(self, &state.blended(&state.learner.average, self.recipe)?, number + 1, watch)?;
        let best = state.curve.iter().filter(|epoch| epoch.is_best).map(|epoch| epoch.loss).next_back();
        let is_best = best.is_none_or(|best| judged.loss <= best + self.recipe.tolerance);
        // a network that has only seen small pictures is judged on others
        let is_counted = !is_best && number >= self.recipe.small_epochs;
        state.misses = if is_counted { state.misses + 1 } else { 0 };
        if is_best && self.recipe.keep == Keep::Best {
            state.best = Some(copy(&state.learner.average)?);
        }
        state.curve.push(Epoch {
            epoch: number + 1,
            rate,
            train_loss,
            loss: judged.loss,
            accuracy: judged.accuracy,
            quadratic_kappa: judged.quadratic_kappa,
            seconds: began.elapsed().as_secs_f64(),
            is_best,
        });
        let checkpoint = if self.has_ended(state) { None } else { Some(state.checkpoint()?) };
        watch.epoch(&state.curve[number], checkpoint)
    }

    /// The passes of an epoch over the knees to learn from; their mean loss, and the last step's rate.
    fn learn(&self, epoch: usize, learner: &mut Learner, watch: &mut dyn Watch) -> Result<(f64, f64), FitError> {
        let mut chance = self.chance(epoch);
        if self.recipe.omission > 0.0 {
            // what networks leave out is drawn by libtorch, whose generator is the process's
            tch::manual_seed(chance.random());
        }
        let knees: Vec<i64> = (0..self.recipe.passes).flat_map(|_| self.order(&mut chance)).collect();
        let side = self.recipe.side(epoch, self.pictures.side());
        let batch = self.recipe.batch.min(self.learn.len());
        let steps = knees.len() / batch;
        let mut sum = Tensor::f_zeros([], (Kind::Float, self.device))?;
        let balance = self.balance()?;
        let rate_at = |step: usize| self.rate(epoch as f64 + step as f64 / steps as f64);
        for (step, knees) in knees.chunks_exact(batch).enumerate() {
            if !watch.step(step, steps) {
                return Err(FitError::Stopped);
            }
            let (views, truths) = tch::no_grad(|| self.views(knees, side, &mut chance))?;
            let lesson = Lesson {
                views: &views,
                truths: &truths,
                balance: balance.as_ref(),
                learning: if epoch < self.recipe.head_epochs { Learning::Head } else { Learning::All },
                rate: rate_at(step),
            };
            let _sum = sum.f_add_(&learner.step(&lesson, self.recipe)?)?;
            if (step + 1) % LOOK_EVERY == 0 && !sum.f_double_value(&[])?.is_finite() {
                return Err(FitError::NotFinite { epoch: epoch + 1 });
            }
        }
        let mean = sum.f_double_value(&[])? / steps as f64;
        if mean.is_finite() {
            Ok((mean, rate_at(steps.saturating_sub(1))))
        } else {
            Err(FitError::NotFinite { epoch: epoch + 1 })
        }
    }

    /// What is seen of these knees, and what is true of it, as a lesson wants them.
    fn views(&self, knees: &[i64], side: i64, chance: &mut ChaCha8Rng) -> Result<(Tensor, Tensor), TchError> {
        let Recipe { mix, augmentation, .. } = self.recipe;
        let views = self.pictures.to_learn(knees, side, augmentation, chance)?;
        let truths: Vec<KlGrade> = knees.iter().map(|&knee| self.truths[knee as usize]).collect();
        if *mix > 0.0 {
            return mixed(&views, &truths, *mix, chance);
        }
        let truths: Vec<i64> = truths.iter().map(|truth| truth.index() as i64).collect();
        Ok((views, copy_to(&Tensor::f_from_slice(&truths)?, self.device)?))
    }

    /// The rate at a time, in epochs.
    fn rate(&self, at: f64) -> f64 {
        let head = self.recipe.head_epochs as f64;
        if at < head { self.recipe.head_rate } else { self.recipe.rate(at - head) }
    }

    /// An epoch's chance is its own, so that one that was broken off goes the same way again.
    fn chance(&self, epoch: usize) -> ChaCha8Rng {
        let words = format!("{} {epoch}", self.seed);
        ChaCha8Rng::from_seed(Digest::of(words.as_bytes()).bytes())
    }

    /// The knees of a pass, in the order in which they are seen.
    fn order(&self, chance: &mut ChaCha8Rng) -> Vec<i64> {
        let mut knees = self.learn.to_vec();
        if self.recipe.balance == Balance::Sampling {
            let by_grade = |grade| move |knee: &i64| self.truths[*knee as usize] == grade;
            let grades =
                KlGrade::ALL.map(|grade| self.learn.iter().copied().filter(by_grade(grade)).collect::<Vec<_>>());
            let there: Vec<_> = grades.iter().filter(|knees| !knees.is_empty()).collect();
            for knee in &mut knees {
                let grade = there[chance.random_range(0..there.len())];
                *knee = grade[chance.random_range(0..grade.len())];
            }
        }
        knees.shuffle(chance);
        knees
    }

    /// What a knee's cross-entropy counts, by grade: at a power of 1 as much for all knees of a rare grade together as of a common one.
    fn balance(&self) -> Result<Option<Tensor>, FitError> {
        if self.recipe.balance != Balance::Weights {
            return Ok(None);
        }
        let mut counts = [0.0f32; GRADES];
        self.learn.iter().for_each(|&knee| counts[self.truths[knee as usize].index()] += 1.0);
        let all: f32 = counts.iter().sum();
        let power = self.recipe.balance_power as f32;
        let weights = counts.map(|count| (all / (GRADES as f32 * count.max(1.0))).powf(power));
        Ok(Some(Tensor::f_from_slice(&weights)?.f_to(self.device)?))
    }
}

/// Where a fit stands.
struct State {
    learner: Learner,
    /// The values that it began from, where they are blended with what it has learnt.
    first: Option<Tensor>,
    /// The running mean as it was at the best epoch.
    best: Option<Tensor>,
    /// Epochs in a row that were not the best.
    misses: usize,
    curve: Vec<Epoch>,
}

impl State {
    /// Learnt values, blended with the first as the recipe says, as a release's state_dict.
    fn blended(&self, learnt: &Tensor, recipe: &Recipe) -> Result<Vec<u8>, FitError> {
        let blend = self.first.as_ref().map(|first| learnt.f_lerp(first, recipe.blend)).transpose()?;
        Ok(self.learner.state_dict(blend.as_ref().unwrap_or(learnt))?)
    }
}
