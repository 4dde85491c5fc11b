//! A network that learns, and all that it carries from one step to the next.

use super::{Beginning, FitError, Origin};
use crate::gpu::copy;
use crate::networks::{Architecture, Network, weights::WeightsError};
use crate::training::loss::Loss;
use crate::training::optimiser::Adam;
use crate::training::parameters::{Learning, Parameters};
use crate::training::recipe::Recipe;
use tch::{Cuda, Device, Kind, TchError, Tensor};

/// A network, its parameters, and the optimiser's memory of them.
pub struct Learner {
    network: Network,
    pub(super) parameters: Parameters,
    pub(super) adam: Adam,
    pub(super) steps: i64,
    /// The running mean of all values; the values, where the recipe has none.
    pub(super) average: Tensor,
}

/// Views and what is said of them.
pub struct Lesson<'a> {
    /// `[n, 3, s, s]`, normalised.
    pub views: &'a Tensor,
    /// `[n]`, grades as numbers, or `[n, 5]`, the share of each grade.
    pub truths: &'a Tensor,
    /// What a knee's cross-entropy counts, by grade; none where all count alike.
    pub balance: Option<&'a Tensor>,
    /// What is to be learnt.
    pub learning: Learning,
    /// How fast.
    pub rate: f64,
}

impl Learner {
    /// Before the first step; convolutions compute in `numbers`.
    pub fn new(
        architecture: Architecture,
        beginning: Beginning,
        recipe: &Recipe,
        numbers: Kind,
        device: Device,
    ) -> Result<Self, FitError> {
        if device.is_cuda() {
            // there are few kinds of batches: the fastest kernels for them are worth looking for
            Cuda::cudnn_set_benchmark(true);
        }
        let Beginning { weights, origin } = beginning;
        let is_imagenet = origin == Origin::Imagenet;
        let (network, parts) = architecture.build_to_learn(weights.on(device), is_imagenet, recipe.omission)?;
        let parameters = tch::no_grad(|| Parameters::gather(parts, numbers, device))?;
        let adam = Adam::new(recipe.optimiser, &parameters.learning_values()?)?;
        let average = copy(&parameters.values)?;
        Ok(Self { network, parameters, adam, steps: 0, average })
    }

    /// The optimiser forgets what it knows.
    pub(super) fn forget(&mut self, recipe: &Recipe) -> Result<(), TchError> {
        self.adam = Adam::new(recipe.optimiser, &self.parameters.learning_values()?)?;
        Ok(())
    }

    /// One step; the loss before it, `[]`, on the device.
    pub fn step(&mut self, lesson: &Lesson, recipe: &Recipe) -> Result<Tensor, TchError> {
        let Lesson { learning, rate, .. } = *lesson;
        let mut values = self.parameters.learning_values()?;
        let (loss, mut gradient) = self.gradient(lesson, recipe)?;
        if recipe.sharpness > 0.0 {
            gradient = self.uphill(&gradient, lesson, recipe)?;
        }
        tch::no_grad(|| {
            let decay = if learning == Learning::All { recipe.weight_decay } else { 0.0 };
            self.adam.step(&mut values, &gradient, rate, decay)?;
            self.parameters.changed()?;
            self.steps += 1;
            // the first steps lead far away from where it began, which the mean had better forget
            let kept = recipe.average.min((1 + self.steps) as f64 / (10 + self.steps) as f64);
            match recipe.average > 0.0 {
                true => self.average.f_lerp_(&self.parameters.values, 1.0 - kept).map(drop),
                false => self.average.f_copy_(&self.parameters.values),
            }
        })?;
        Ok(loss)
    }

    /// The loss, `[]`, and its gradient.
    fn gradient(&mut self, lesson: &Lesson, recipe: &Recipe) -> Result<(Tensor, Tensor), TchError> {
        let map = match lesson.learning {
            Learning::Head => tch::no_grad(|| self.network.map(lesson.views)),
            Learning::All => self.network.map(lesson.views),
        }?;
        let Recipe { label_smoothing: smoothing, ordinal, .. } = *recipe;
        let loss =
            Loss { balance: lesson.balance, smoothing, ordinal }.of(&self.network.logits(&map)?, lesson.truths)?;
        let gradient = self.parameters.gradient(&loss, lesson.learning)?;
        Ok((loss.f_detach()?, gradient))
    }

    /// The gradient where the loss is worst near by: at `sharpness` from here, along the gradient that is here, as far as the numbers
    /// that are computed in can tell the two apart.
    fn uphill(&mut self, gradient: &Tensor, lesson: &Lesson, recipe: &Recipe) -> Result<Tensor, TchError> {
        let mut here = self.parameters.values.f_empty_like()?;
        tch::no_grad(|| {
            here.f_copy_(&self.parameters.values)?;
            let length = gradient.f_norm()?.f_add_scalar(f64::from(f32::MIN_POSITIVE))?;
            let way = gradient.f_mul(&length.f_reciprocal()?.f_mul_scalar(recipe.sharpness)?)?;
            let _ = self.parameters.learning_values()?.f_add_(&way)?;
            self.parameters.changed()
        })?;
        let (_, there) = self.gradient(lesson, recipe)?;
        // back to where it stands, and to the statistics of what was seen from there; the step copies to what is computed with
        tch::no_grad(|| self.parameters.values.f_copy_(&here))?;
        Ok(there)
    }

    /// Values laid out as the parameters, as a release's state_dict.
    pub(super) fn state_dict(&self, values: &Tensor) -> Result<Vec<u8>, WeightsError> {
        tch::no_grad(|| self.parameters.state_dict(values))
    }
}
