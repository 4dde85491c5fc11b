//! Squeeze and excitation: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, <https://arxiv.org/abs/1709.01507>.

use super::{Activation, Linear, global_mean};
use crate::networks::weights::{Scope, WeightsError};
use tch::{TchError, Tensor};

/// Weighs every channel by what all of them are like on the whole picture.
pub struct SqueezeExcitation {
    squeeze: Linear,
    activation: Activation,
    excite: Linear,
}

impl SqueezeExcitation {
    /// Takes `fc1` and `fc2` of `module`.
    pub fn take(
        module: &mut Scope,
        channels: i64,
        squeezed: i64,
        activation: Activation,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            squeeze: Linear::take_pointwise(&mut module.at("fc1"), channels, squeezed)?,
            activation,
            excite: Linear::take_pointwise(&mut module.at("fc2"), squeezed, channels)?,
        })
    }

    /// `[n, c, h, w]`, overwritten where nobody learns from it, to the same shape.
    pub fn forward(&self, mut x: Tensor) -> Result<Tensor, TchError> {
        let squeezed = self.activation.of(self.squeeze.forward(&global_mean(&x)?)?)?;
        let weights = self.excite.forward(&squeezed)?.f_sigmoid()?.f_to_kind(x.kind())?;
        let weights = weights.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
        if x.requires_grad() { x.f_mul(&weights) } else { x.f_mul_(&weights) }
    }
}
