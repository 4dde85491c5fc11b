//! A place in a network's tree of names.

use super::{Weights, WeightsError, untrained};
use crate::networks::{Form, Part};
use std::fmt;
use tch::{Kind, Tensor};

/// Weights seen from one module: names are relative to its path.
pub struct Scope<'a> {
    weights: &'a mut Weights,
    path: String,
    form: Form,
    is_early: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn root(weights: &'a mut Weights, form: Form) -> Self {
        Self { weights, path: String::new(), form, is_early: false }
    }

    /// The same place in the network's first stage, which may compute in finer numbers than the others.
    pub fn early(&mut self) -> Scope<'_> {
        Scope { weights: self.weights, path: self.path.clone(), form: self.form, is_early: true }
    }

    /// The child module `name`, a stage of the network: the first one or another.
    pub fn stage(&mut self, name: impl fmt::Display, is_early: bool) -> Scope<'_> {
        let path = self.full(name);
        Scope { weights: self.weights, path, form: self.form, is_early }
    }

    /// The numbers that layers here are folded into; none for those that are built as they were published.
    pub fn folded_into(&self) -> Option<Kind> {
        match self.form {
            Form::Plain => None,
            Form::Folded { early, .. } if self.is_early => Some(early),
            Form::Folded { late, .. } => Some(late),
        }
    }

    /// How many numbers the tensors hold that were taken so far, anywhere in the network.
    pub fn numbers(&self) -> u64 {
        self.weights.numbers
    }

    /// The child module `name`, as in `stage2.0.branch1`.
    pub fn at(&mut self, name: impl fmt::Display) -> Scope<'_> {
        let path = self.full(name);
        Scope { weights: self.weights, path, form: self.form, is_early: self.is_early }
    }

    /// Whether the network is built to learn.
    pub fn learns(&self) -> bool {
        self.weights.parts.is_some()
    }

    /// The share of what networks of its kind leave out by chance that this one does: none where it does not learn.
    pub fn omission(&self) -> f64 {
        if self.learns() { self.weights.omission } else { 0.0 }
    }

    /// Takes the tensor `name` of the expected shape: float32, finite, on the weights' device.
    pub fn tensor(&mut self, name: &str, expected: &[i64]) -> Result<Tensor, WeightsError> {
        self.tensor_as(name, expected, expected)
    }

    /// The same, seen in another shape of as many numbers.
    pub fn tensor_as(&mut self, name: &str, expected: &[i64], seen: &[i64]) -> Result<Tensor, WeightsError> {
        let tensor = self.pass_over(name, expected)?.f_view(seen)?;
        self.note(name, expected, &tensor);
        Ok(tensor)
    }

    /// A tensor that the file does not have, or not in this shape: it is begun anew.
    pub fn fresh(&mut self, name: &str, shape: &[i64]) -> Result<Tensor, WeightsError> {
        let tensor = untrained::tensor(name, shape, self.weights.device)?;
        self.note(name, shape, &tensor);
        Ok(tensor)
    }

    fn note(&mut self, name: &str, shape: &[i64], tensor: &Tensor) {
        let name = self.full(name);
        if let Some(parts) = &mut self.weights.parts {
            parts.push(Part { name, shape: shape.to_vec(), tensor: tensor.shallow_clone(), is_head: false });
        }
    }

    /// The tensor `name`, which is in the file and no part of the network.
    pub fn pass_over(&mut self, name: &str, expected: &[i64]) -> Result<Tensor, WeightsError> {
        self.weights.numbers += expected.iter().product::<i64>().unsigned_abs();
        if self.weights.is_untrained {
            return Ok(untrained::tensor(name, expected, self.weights.device)?);
        }
        let name = self.full(name);
        let stored = self.weights.tensors.get(&name).ok_or_else(|| WeightsError::Missing(name.clone()))?;
        if !stored.shape().iter().map(|&size| size as i64).eq(expected.iter().copied()) {
            return Err(WeightsError::Shape { name, found: stored.shape().to_vec(), expected: expected.to_vec() });
        }
        let values = self.weights.values(&name)?;
        let tensor = Tensor::f_from_slice(&values)?.f_view(expected)?.f_to(self.weights.device)?;
        self.weights.taken.insert(name);
        Ok(tensor)
    }

    /// An error about the tensor `name` of this module.
    pub fn refuse(&self, name: &str, reason: &str) -> WeightsError {
        WeightsError::tensor(&self.full(name), reason)
    }

    fn full(&self, name: impl fmt::Display) -> String {
        if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) }
    }
}
