//! A convolution by itself.

use super::channels_last;
use crate::networks::weights::{Scope, WeightsError};
use tch::{TchError, Tensor};

/// A square convolution's shape. Its padding is half its kernel, so that stride 1 keeps the size.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Input channels.
    pub inputs: i64,
    /// Output channels.
    pub outputs: i64,
    /// The kernel's side.
    pub kernel: i64,
    /// The step, down and across.
    pub stride: i64,
    /// Groups of channels that do not see each other.
    pub groups: i64,
}

impl Geometry {
    /// A dense convolution.
    pub fn dense(inputs: i64, outputs: i64, kernel: i64, stride: i64) -> Self {
        Self { inputs, outputs, kernel, stride, groups: 1 }
    }

    /// A convolution of one pixel.
    pub fn pointwise(inputs: i64, outputs: i64) -> Self {
        Self::dense(inputs, outputs, 1, 1)
    }

    /// A convolution that keeps the number of channels, in groups.
    pub fn grouped(channels: i64, kernel: i64, stride: i64, groups: i64) -> Self {
        Self { inputs: channels, outputs: channels, kernel, stride, groups }
    }

    /// A depthwise convolution: every channel by itself.
    pub fn depthwise(channels: i64, kernel: i64, stride: i64) -> Self {
        Self::grouped(channels, kernel, stride, channels)
    }
}

/// A convolution.
pub struct Conv {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) geometry: Geometry,
}

impl Conv {
    /// Takes `weight` of `module`; there is no bias.
    pub fn take(module: &mut Scope, geometry: Geometry) -> Result<Self, WeightsError> {
        let conv = Self::take_float(module, geometry)?;
        Ok(match module.folded_into() {
            None => conv,
            Some(kind) => Self { weight: channels_last(&conv.weight.f_to_kind(kind)?)?, ..conv },
        })
    }

    /// The same in float32, to be folded.
    pub(super) fn take_float(module: &mut Scope, geometry: Geometry) -> Result<Self, WeightsError> {
        let Geometry { inputs, outputs, kernel, groups, .. } = geometry;
        let weight = module.tensor("weight", &[outputs, inputs / groups, kernel, kernel])?;
        Ok(Self { weight, bias: None, geometry })
    }

    /// `[n, inputs, h, w]` to `[n, outputs, h / stride, w / stride]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        // where the first stage ends, its numbers become the others'
        self.convolve(&x.f_to_kind(self.weight.kind())?, self.bias.as_ref())
    }

    /// The same of the weight's kind of numbers, with that bias.
    pub(super) fn convolve(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, TchError> {
        let Geometry { kernel, stride, groups, .. } = self.geometry;
        x.f_conv2d(&self.weight, bias, [stride; 2], [kernel / 2; 2], [1; 2], groups)
    }
}
