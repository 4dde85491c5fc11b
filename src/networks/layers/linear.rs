//! A linear layer.

use crate::networks::weights::{Scope, WeightsError};
use tch::{TchError, Tensor};

/// A linear layer; always float32, since it costs nothing and decides everything.
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// Takes `weight` `[outputs, inputs]` and `bias` `[outputs]` of `module`.
    pub fn take(module: &mut Scope, inputs: i64, outputs: i64) -> Result<Self, WeightsError> {
        Ok(Self { weight: module.tensor("weight", &[outputs, inputs])?, bias: module.tensor("bias", &[outputs])? })
    }

    /// Takes a convolution of one pixel, `weight` `[outputs, inputs, 1, 1]`, that only ever sees one place.
    pub fn take_pointwise(module: &mut Scope, inputs: i64, outputs: i64) -> Result<Self, WeightsError> {
        let weight = module.tensor_as("weight", &[outputs, inputs, 1, 1], &[outputs, inputs])?;
        Ok(Self { weight, bias: module.tensor("bias", &[outputs])? })
    }

    /// A layer of `module` that has learnt nothing yet, whatever the file has.
    pub fn fresh(module: &mut Scope, inputs: i64, outputs: i64) -> Result<Self, WeightsError> {
        Ok(Self { weight: module.fresh("weight", &[outputs, inputs])?, bias: module.fresh("bias", &[outputs])? })
    }

    /// The memory it takes.
    pub fn bytes(&self) -> u64 {
        (self.weight.numel() + self.bias.numel()) as u64 * self.weight.kind().elt_size_in_bytes() as u64
    }

    /// `[n, inputs]` to `[n, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        x.f_linear(&self.weight, Some(&self.bias))
    }

    /// The weight's rows for the outputs with these indices.
    pub fn rows(&self, outputs: &Tensor) -> Result<Tensor, TchError> {
        self.weight.f_index_select(0, outputs)
    }
}
