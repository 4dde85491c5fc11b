//! A convolution, the batch norm behind it, and an activation.

use super::{Activation, Conv, Geometry, NORM_EPSILON, Norm, channels_last};
use crate::networks::weights::{Scope, WeightsError};
use std::cell::Cell;
use tch::{TchError, Tensor};

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
    /// So has the ReLU: cuDNN has a call for all of it, until it is found to have no kernel for this shape.
    Fused(Conv, Cell<bool>),
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
        Self::take_with(module, conv, norm, geometry, activation, NORM_EPSILON)
    }

    /// The same for a network whose batch norms have an epsilon of their own.
    pub fn take_with(
        module: &mut Scope,
        conv: &str,
        norm: &str,
        geometry: Geometry,
        activation: Activation,
        epsilon: f64,
    ) -> Result<Self, WeightsError> {
        let folded_into = module.folded_into();
        let conv = Conv::take_float(&mut module.at(conv), geometry)?;
        let norm = Norm::take(&mut module.at(norm), geometry.outputs, epsilon)?;
        let steps = match folded_into {
            None => Steps::Plain(conv, norm),
            Some(kind) => {
                let (factor, bias) = norm.affine()?;
                let weight = conv.weight.f_mul(&factor.f_view([-1, 1, 1, 1])?)?.f_to_kind(kind)?;
                let weight = channels_last(&weight)?;
                // not the depthwise ones, for which cuDNN's fused kernels are not made
                let is_fused =
                    weight.device().is_cuda() && activation == Activation::Relu && geometry.groups < geometry.outputs;
                let conv = Conv { weight, bias: Some(bias.f_to_kind(kind)?), geometry };
                if is_fused { Steps::Fused(conv, Cell::new(true)) } else { Steps::Folded(conv) }
            }
        };
        Ok(Self { steps, activation })
    }

    /// `[n, inputs, h, w]` to `[n, outputs, h / stride, w / stride]`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(conv, norm) => self.activation.of(norm.forward(&conv.forward(x)?)?),
            Steps::Folded(conv) => self.activation.of(conv.forward(x)?),
            Steps::Fused(conv, works) => {
                let fused = |Conv { weight, bias, geometry }: &Conv| {
                    let Geometry { kernel, stride, groups, .. } = *geometry;
                    let (stride, padding) = ([stride; 2], [kernel / 2; 2]);
                    let x = x.f_to_kind(weight.kind())?;
                    x.f_cudnn_convolution_relu(weight, bias.as_ref(), stride, padding, [1; 2], groups)
                };
                or_apart(works, || fused(conv), || self.activation.of(conv.forward(x)?))
            }
        }
    }

    /// The same with `other` added before the activation: the end of a residual block.
    pub fn forward_onto(&self, x: &Tensor, other: &Tensor) -> Result<Tensor, TchError> {
        match &self.steps {
            Steps::Plain(conv, norm) => self.activation.of(norm.forward(&conv.forward(x)?)?.f_add_(other)?),
            Steps::Folded(conv) => self.activation.of(conv.forward(x)?.f_add_(other)?),
            Steps::Fused(conv, works) => {
                let fused = |Conv { weight, bias, geometry }: &Conv| {
                    let Geometry { kernel, stride, groups, .. } = *geometry;
                    let (stride, padding) = ([stride; 2], [kernel / 2; 2]);
                    let (x, other) = (x.f_to_kind(weight.kind())?, other.f_to_kind(weight.kind())?);
                    let bias = bias.as_ref();
                    x.f_cudnn_convolution_add_relu(weight, &other, 1.0, bias, stride, padding, [1; 2], groups)
                };
                or_apart(works, || fused(conv), || self.activation.of(conv.forward(x)?.f_add_(other)?))
            }
        }
    }
}

/// The fused call while it works; where cuDNN has no kernel for a shape, the steps one by one, from then on.
fn or_apart(
    works: &Cell<bool>,
    fused: impl Fn() -> Result<Tensor, TchError>,
    apart: impl Fn() -> Result<Tensor, TchError>,
) -> Result<Tensor, TchError> {
    if !works.get() {
        return apart();
    }
    match fused() {
        Err(error) if !error.to_string().contains("out of memory") => {
            // what is wrong with the input itself is an error of the steps too, and no word about the fused call
            let outcome = apart();
            works.set(outcome.is_err());
            outcome
        }
        outcome => outcome,
    }
}
