//! What a GPU does in one call, in fewer passes over memory than libtorch takes step by step.

use super::{Activation, Conv, Geometry};
use crate::gpu::{Elementwise, NO_ENGINE, is_extended, is_full};
use std::cell::Cell;
use tch::{Kind, TchError, Tensor};

/// A call that is made once it has been seen to do what its steps do, and for as long as it has a kernel.
pub struct Fused<C> {
    call: C,
    trust: Cell<Trust>,
}

#[derive(Clone, Copy)]
enum Trust {
    /// Not tried: the first time, both ways are gone and compared.
    Unknown,
    Works,
    /// There is no kernel for the shape, or a wrong one.
    Fails,
}

/// How far the two ways may be apart, in parts of the largest number: some bits of bf16, which has eight.
const ROUNDING: f64 = 0.03;

impl<C> Fused<C> {
    fn new(call: C) -> Self {
        Self { call, trust: Cell::new(Trust::Unknown) }
    }

    /// The fused call, or its steps one by one.
    pub fn or_apart(
        &self,
        fused: impl Fn(&C) -> Result<Tensor, TchError>,
        apart: impl Fn() -> Result<Tensor, TchError>,
    ) -> Result<Tensor, TchError> {
        match self.trust.get() {
            Trust::Fails => apart(),
            Trust::Unknown => {
                let expected = apart()?;
                // what the call gets to write into: if it reads it, it betrays itself
                drop(expected.f_full_like(f64::NAN)?);
                match fused(&self.call) {
                    Ok(found) => self.trust.set(if agree(&found, &expected)? { Trust::Works } else { Trust::Fails }),
                    Err(error) if is_full(&error) => return Err(error),
                    Err(_) => self.trust.set(Trust::Fails),
                }
                Ok(expected)
            }
            Trust::Works => match fused(&self.call) {
                Err(error) if !is_full(&error) => {
                    // what is wrong with the input itself is an error of the steps too, and no word about the call; nor is it one
                    // that cuDNN finds no engine any more, for which there was no room
                    let outcome = apart();
                    let fails = outcome.is_ok() && !error.to_string().contains(NO_ENGINE);
                    self.trust.set(if fails { Trust::Fails } else { Trust::Works });
                    outcome
                }
                outcome => outcome,
            },
        }
    }
}

/// Whether two tensors are the same but for rounding. What is not a number agrees with nothing.
fn agree(found: &Tensor, expected: &Tensor) -> Result<bool, TchError> {
    if found.size() != expected.size() || found.kind() != expected.kind() {
        return Ok(false);
    }
    let largest = |x: &Tensor| x.f_abs()?.f_max()?.f_to_kind(Kind::Double)?.f_double_value(&[]);
    Ok(largest(&found.f_sub(expected)?)? <= ROUNDING * largest(expected)?)
}

/// A convolution with bias and activation.
pub enum ConvCall {
    /// cuDNN has it all in one, also with a summand before the ReLU.
    Relu,
    /// A convolution of one pixel is a matrix product, to which cuBLAS adds the bias as it writes.
    Product,
    /// The bias waits for the SiLU.
    BiasSilu,
}

/// Bias and SiLU.
const BIAS_SILU: Elementwise = Elementwise {
    name: c"bias_silu",
    code: c"template <typename T> T bias_silu(T x, T bias) {
        const float y = float(x) + float(bias);
        return T(y / (1.0f + ::exp(-y)));
    }",
};

impl Fused<ConvCall> {
    /// The call for a folded convolution, where there is a better one than libtorch's own.
    pub fn behind(conv: &Conv, activation: Activation) -> Option<Self> {
        let Geometry { inputs, outputs, kernel, stride, groups } = conv.geometry;
        if !conv.weight.device().is_cuda() {
            return None;
        }
        let is_depthwise = groups == inputs && groups == outputs;
        match activation {
            // cuDNN's fused kernels are not made for the depthwise ones
            Activation::Relu if !is_depthwise => Some(ConvCall::Relu),
            // cuDNN multiplies float32 in TF32, cuBLAS does not
            Activation::None | Activation::Silu
                if (kernel, stride, groups) == (1, 1, 1) && conv.weight.kind() != Kind::Float =>
            {
                Some(ConvCall::Product)
            }
            Activation::Silu if is_extended().is_ok() => Some(ConvCall::BiasSilu),
            _ => None,
        }
        .map(Self::new)
    }
}

impl ConvCall {
    /// `[n, inputs, h, w]` to `[n, outputs, h / stride, w / stride]`.
    pub fn forward(&self, conv: &Conv, x: &Tensor, activation: Activation) -> Result<Tensor, TchError> {
        let Conv { weight, bias, geometry: Geometry { kernel, stride, groups, .. } } = conv;
        let bias = bias.as_ref();
        let x = x.f_to_kind(weight.kind())?;
        match self {
            Self::Relu => x.f_cudnn_convolution_relu(weight, bias, [*stride; 2], [kernel / 2; 2], [1; 2], *groups),
            Self::Product => {
                let (n, inputs, height, width) = x.size4()?;
                let places = x.f_permute([0, 2, 3, 1])?.f_reshape([n * height * width, inputs])?;
                let outputs = activation.of(places.f_linear(&weight.f_flatten(1, -1)?, bias)?)?;
                outputs.f_view([n, height, width, -1])?.f_permute([0, 3, 1, 2])
            }
            Self::BiasSilu => {
                let convolved = conv.convolve(&x, None)?;
                match bias {
                    Some(bias) => BIAS_SILU.of(&[&convolved, &bias.f_view([1, -1, 1, 1])?]),
                    None => activation.of(convolved),
                }
            }
        }
    }

    /// The same with `other` added before the activation, where the call can do that.
    pub fn forward_onto(&self, conv: &Conv, x: &Tensor, other: &Tensor) -> Result<Option<Tensor>, TchError> {
        let Conv { weight, bias, geometry: Geometry { kernel, stride, groups, .. } } = conv;
        let Self::Relu = self else { return Ok(None) };
        let (x, other) = (x.f_to_kind(weight.kind())?, other.f_to_kind(weight.kind())?);
        let (stride, padding) = ([*stride; 2], [kernel / 2; 2]);
        x.f_cudnn_convolution_add_relu(weight, &other, 1.0, bias.as_ref(), stride, padding, [1; 2], *groups).map(Some)
    }
}

/// A batch norm as factor and summand, and ReLU; NaN stays NaN.
const NORM_RELU: Elementwise = Elementwise {
    name: c"norm_relu",
    code: c"template <typename T> T norm_relu(T x, T factor, T summand) {
        const float y = float(x) * float(factor) + float(summand);
        return T(y < 0.0f ? 0.0f : y);
    }",
};

impl Fused<&'static Elementwise> {
    /// The call for a folded batch norm and ReLU, where there is a better one than libtorch's own.
    pub fn norm_relu(factor: &Tensor) -> Option<Self> {
        (factor.device().is_cuda() && is_extended().is_ok()).then(|| Self::new(&NORM_RELU))
    }
}
