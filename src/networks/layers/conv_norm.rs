//! A convolution, the batch norm behind it, and an activation.

use super::{Activation, Conv, ConvCall, Fused, Geometry, Norm, NormShape, channels_last};
use crate::networks::weights::{Scope, WeightsError};
use tch::{Kind, TchError, Tensor};

/// A convolution without bias, the batch norm behind it, and an activation.
pub struct ConvNorm {
    steps: Steps,
    activation: Activation,
}

enum Steps {
    /// One by one.
    Plain(Conv, Norm),
    /// The batch norm has become the convolution's factor and bias.
    Folded(Conv),
    /// So it has, and the device has a call for that and more.
    Fused(Conv, Fused<ConvCall>),
}

impl ConvNorm {
    /// Takes the convolution's and the batch norm's tensors from the two children of `module`.
    pub fn take(
        module: &mut Scope,
        conv: &str,
        norm: &str,
        geometry: Geometry,
        activation: Activation,
    ) -> Result<Self, WeightsError> {
        Self::take_with(module, conv, norm, geometry, activation, NormShape::USUAL)
    }

    /// The same for a network whose batch norms have numbers of their own.
    pub fn take_with(
        module: &mut Scope,
        conv: &str,
        norm: &str,
        geometry: Geometry,
        activation: Activation,
        norm_shape: NormShape,
    ) -> Result<Self, WeightsError> {
        let folded_into = module.folded_into();
        let conv = Conv::take_float(&mut module.at(conv), geometry)?;
        let norm = Norm::take(&mut module.at(norm), geometry.outputs, norm_shape)?;
        let steps = match folded_into {
            None => Steps::Plain(conv, norm),
            Some(kind) => {
                let (factor, bias) = norm.affine()?;
                let weight = conv.weight.f_mul(&factor.f_view([-1, 1, 1, 1])?)?.f_to_kind(kind)?;
                let weight = channels_last(&weight)?;
                let conv = Conv { weight, bias: Some(bias.f_to_kind(kind)?), geometry };
                match Fused::behind(&conv, activation) {
                    Some(fused) => Steps::Fused(conv, fused),
                    None => Steps::Folded(conv),
                }
            }
        };
        Ok(Self { steps, activation })
    }

    /// The same in the numbers that this layer computes in: what several layers read is converted once.
    pub fn prepared(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(conv, _) | Steps::Folded(conv) | Steps::Fused(conv, _) => x.f_to_kind(conv.weight.kind()),
        }
    }

    /// `[n, inputs, h, w]` to `[n, outputs, h / stride, w / stride]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(conv, norm) => self.activation.of(norm.forward(&conv.forward(x)?)?),
            Steps::Folded(conv) => self.activation.of(conv.forward(x)?),
            Steps::Fused(conv, fused) => {
                fused.or_apart(|call| call.forward(conv, x, self.activation), || self.activation.of(conv.forward(x)?))
            }
        }
    }

    /// The same with `other` added before the activation: the end of a residual block.
    pub fn forward_onto(&self, x: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(conv, norm) => self.activation.of(norm.forward(&conv.forward(x)?)?.f_add_(other)?),
            Steps::Folded(conv) => self.activation.of(conv.forward(x)?.f_add_(other)?),
            Steps::Fused(conv, fused) => {
                let apart = || self.activation.of(conv.forward(x)?.f_add_(other)?);
                fused.or_apart(|call| call.forward_onto(conv, x, other)?.map_or_else(apart, Ok), apart)
            }
        }
    }

    /// Behind it comes `next`, of one pixel. Folded, a bias without an activation is as well a part of the next one's, and
    /// where it would be added in a pass over memory of its own, that pass is saved.
    pub fn hand_bias_to(&mut self, next: &mut Self) -> Result<(), TchError> {
        if let (Activation::None, Some(conv), Some(next)) = (self.activation, self.steps.folded(), next.steps.folded())
            && let (Some(bias), Some(own)) = (conv.bias.take(), &next.bias)
        {
            let kind = own.kind();
            let product = next.weight.f_flatten(1, -1)?.f_to_kind(Kind::Float)?.f_mv(&bias.f_to_kind(Kind::Float)?)?;
            next.bias = Some(own.f_to_kind(Kind::Float)?.f_add(&product)?.f_to_kind(kind)?);
        }
        Ok(())
    }
}

impl Steps {
    fn folded(&mut self) -> Option<&mut Conv> {
        match self {
            Self::Plain(..) => None,
            Self::Folded(conv) | Self::Fused(conv, _) => Some(conv),
        }
    }
}
