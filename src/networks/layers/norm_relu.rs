//! Batch norm and ReLU in front of a convolution, which cannot be folded into it.

use super::{Fused, Norm, NormShape};
use crate::gpu::Elementwise;
use crate::networks::weights::{Scope, WeightsError};
use tch::{TchError, Tensor};

/// A batch norm, then ReLU.
pub struct NormRelu {
    steps: Steps,
}

enum Steps {
    Plain(Norm),
    /// One factor and one summand a channel, `[1, c, 1, 1]`.
    Folded {
        factor: Tensor,
        summand: Tensor,
        /// The device's call for all of it, if it has one.
        fused: Option<Fused<&'static Elementwise>>,
    },
}

impl NormRelu {
    /// Takes the batch norm's tensors of `module`.
    pub fn take(module: &mut Scope, channels: i64, norm_shape: NormShape) -> Result<Self, WeightsError> {
        let folded_into = module.folded_into();
        let norm = Norm::take(module, channels, norm_shape)?;
        let steps = match folded_into {
            None => Steps::Plain(norm),
            Some(kind) => {
                let (factor, summand) = norm.affine()?;
                let a_channel = |x: Tensor| x.f_to_kind(kind)?.f_view([1, channels, 1, 1]);
                let (factor, summand) = (a_channel(factor)?, a_channel(summand)?);
                Steps::Folded { fused: Fused::norm_relu(&factor), factor, summand }
            }
        };
        Ok(Self { steps })
    }

    /// `[n, c, h, w]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(norm) => norm.forward(x)?.f_relu_(),
            Steps::Folded { factor, summand, fused } => {
                let x = x.f_to_kind(summand.kind())?;
                // `x` may be a part of a wider tensor's channels, which neither way copies
                let apart = || summand.f_addcmul(&x, factor)?.f_relu_();
                match fused {
                    Some(fused) => fused.or_apart(|kernel| kernel.of(&[&x, factor, summand]), apart),
                    None => apart(),
                }
            }
        }
    }
}
