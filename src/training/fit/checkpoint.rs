//! What it takes to go on from the end of an epoch: a safetensors file.

use super::{Epoch, FitError, Learner, State};
use crate::digest::Digest;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tch::{Device, Kind, TchError, Tensor};

/// The name of what is no tensor in the file's own metadata.
const FACTS: &str = "kellgrend";

/// A checkpoint in memory.
pub struct Checkpoint {
    facts: Facts,
    /// Numbers as bytes, so that a large network's are not there twice.
    tensors: Vec<(&'static str, Vec<u8>)>,
}

#[derive(Serialize, Deserialize)]
struct Facts {
    /// Of the tensors' names and places: numbers laid out otherwise are of another network.
    layout: Digest,
    steps: i64,
    adam_steps: i64,
    misses: usize,
    curve: Vec<Epoch>,
}

const VALUES: &str = "values";
const AVERAGE: &str = "average";
const MEAN: &str = "mean";
const SQUARE: &str = "square";
const BEST: &str = "best";

impl State {
    /// Everything that changes from step to step.
    pub(super) fn checkpoint(&self) -> Result<Checkpoint, FitError> {
        let Learner { parameters, adam, steps, average, .. } = &self.learner;
        let mut tensors = vec![
            (VALUES, numbers(&parameters.values)?),
            (AVERAGE, numbers(average)?),
            (MEAN, numbers(&adam.mean)?),
            (SQUARE, numbers(&adam.square)?),
        ];
        if let Some(best) = &self.best {
            tensors.push((BEST, numbers(best)?));
        }
        let facts = Facts {
            layout: parameters.layout(),
            steps: *steps,
            adam_steps: adam.steps,
            misses: self.misses,
            curve: self.curve.clone(),
        };
        Ok(Checkpoint { facts, tensors })
    }
}

impl Checkpoint {
    /// The file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FitError> {
        let unusable = |error: &dyn std::fmt::Display| FitError::Checkpoint(error.to_string());
        let facts = serde_json::to_string(&self.facts).map_err(|error| unusable(&error))?;
        let views = self
            .tensors
            .iter()
            .map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(FACTS.to_owned(), facts)]))))
            .map_err(|error| unusable(&error))
    }

    /// A file's content; an error for what is not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FitError> {
        let unusable = |error: &dyn std::fmt::Display| FitError::Checkpoint(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| unusable(&error))?;
        let facts = metadata.metadata().as_ref().and_then(|all| all.get(FACTS));
        let facts = facts.ok_or_else(|| FitError::Checkpoint("it is no checkpoint".to_owned()))?;
        let facts = serde_json::from_str(facts).map_err(|error| unusable(&error))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| unusable(&error))?;
        let mut tensors = Vec::new();
        for name in [VALUES, AVERAGE, MEAN, SQUARE, BEST] {
            match file.tensor(name) {
                Ok(tensor) => tensors.push((name, tensor.data().to_vec())),
                // where no epoch was better than others
                Err(_) if name == BEST => {}
                Err(error) => return Err(unusable(&error)),
            }
        }
        Ok(Self { facts, tensors })
    }

    /// Epochs that are over.
    pub fn curve(&self) -> &[Epoch] {
        &self.facts.curve
    }

    /// Puts everything back where it was.
    pub(super) fn give_back(self, state: &mut State) -> Result<(), FitError> {
        let Self { facts: Facts { layout, steps, adam_steps, misses, curve }, tensors } = self;
        let Learner { parameters, adam, average, steps: learner_steps, .. } = &mut state.learner;
        if layout != parameters.layout() {
            return Err(FitError::Checkpoint("it is of another network, or of another version of it".to_owned()));
        }
        let device = parameters.values.device();
        tch::no_grad(|| {
            for (name, numbers) in tensors {
                let length = numbers.len() / 4;
                let tensor = Tensor::f_from_data_size(&numbers, &[length as i64], Kind::Float)?.f_to(device)?;
                let mut place = match name {
                    VALUES => parameters.values.shallow_clone(),
                    AVERAGE => average.shallow_clone(),
                    MEAN => adam.mean.shallow_clone(),
                    SQUARE => adam.square.shallow_clone(),
                    _ => {
                        state.best = Some(tensor);
                        continue;
                    }
                };
                if place.numel() != tensor.numel() {
                    return Err(FitError::Checkpoint("it is of another network".to_owned()));
                }
                place.f_copy_(&tensor).map_err(FitError::from)?;
            }
            parameters.changed()?;
            Ok(())
        })?;
        (*learner_steps, adam.steps) = (steps, adam_steps);
        (state.misses, state.curve) = (misses, curve);
        Ok(())
    }
}

/// A tensor's numbers, float32, least byte first.
fn numbers(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    let tensor = tensor.f_to_kind(Kind::Float)?.f_to(Device::Cpu)?;
    let mut bytes = vec![0; 4 * tensor.numel()];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
    Ok(bytes)
}
