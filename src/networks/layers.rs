//! The layers that the networks share, each in both forms.

mod activation;
mod conv;
mod conv_norm;
mod fused;
mod linear;
mod norm_relu;
mod omission;
mod squeeze_excitation;

pub use activation::Activation;
pub use conv::{Conv, Geometry};
pub use conv_norm::ConvNorm;
use fused::{ConvCall, Fused};
pub use linear::Linear;
pub use norm_relu::NormRelu;
pub use omission::{Dropout, StochasticDepth};
pub use squeeze_excitation::SqueezeExcitation;

use super::weights::{Scope, WeightsError};
use tch::{Kind, TchError, Tensor};

/// The numbers of a network's batch norms.
#[derive(Clone, Copy, Debug)]
pub struct NormShape {
    /// Keeps it from dividing by zero.
    pub epsilon: f64,
    /// How far one step of learning moves its running mean and variance.
    pub momentum: f64,
}

impl NormShape {
    /// PyTorch's defaults.
    pub const USUAL: Self = Self { epsilon: 1e-5, momentum: 0.1 };
}

/// A batch norm's four tensors `[channels]`, as training left them.
pub struct Norm {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
    shape: NormShape,
    /// It normalises by the views that it is given, and keeps a running mean of what it sees.
    learns: bool,
}

impl Norm {
    /// Takes the tensors of `module`.
    pub fn take(module: &mut Scope, channels: i64, shape: NormShape) -> Result<Self, WeightsError> {
        let norm = Self {
            scale: module.tensor("weight", &[channels])?,
            shift: module.tensor("bias", &[channels])?,
            mean: module.tensor("running_mean", &[channels])?,
            variance: module.tensor("running_var", &[channels])?,
            shape,
            learns: module.learns(),
        };
        if norm.variance.f_min()?.f_double_value(&[])? < 0.0 {
            return Err(module.refuse("running_var", "holds a negative variance"));
        }
        Ok(norm)
    }

    /// The factor and the summand `[channels]` that do the same.
    fn affine(&self) -> Result<(Tensor, Tensor), TchError> {
        let factor = self.scale.f_div(&self.variance.f_add_scalar(self.shape.epsilon)?.f_sqrt()?)?;
        let summand = self.shift.f_sub(&self.mean.f_mul(&factor)?)?;
        Ok((factor, summand))
    }

    /// `[n, channels, h, w]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let Self { scale, shift, mean, variance, shape: NormShape { epsilon, momentum }, learns } = self;
        x.f_batch_norm(Some(scale), Some(shift), Some(mean), Some(variance), *learns, *momentum, *epsilon, true)
    }
}

/// The same tensor `[n, c, h, w]` with a place's channels side by side in memory, which the fast kernels want.
///
/// tch has no memory-format argument; a permuted contiguous tensor is the same thing.
pub fn channels_last(x: &Tensor) -> Result<Tensor, TchError> {
    x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])
}

/// The mean over all places: `[n, c, h, w]` to `[n, c]`.
pub fn global_mean(map: &Tensor) -> Result<Tensor, TchError> {
    map.f_mean_dim([2i64, 3].as_slice(), false, Kind::Float)
}

/// The largest of every 3x3 places, two steps apart: what stands behind the first convolution.
pub fn max_pool(x: &Tensor) -> Result<Tensor, TchError> {
    x.f_max_pool2d([3; 2], [2; 2], [1; 2], [1; 2], false)
}

/// Interleaves the channels of two equal tensors, a0 b0 a1 b1 ...: a concatenation and a channel shuffle of two groups.
///
/// Written as one copy that leaves a place's channels side by side; libtorch's own shuffle does so on a CPU alone. All places
/// are one dimension, since a GPU's concatenation is fast for four at most.
pub fn interleave(a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
    let (n, channels, height, width) = a.size4()?;
    let places = |x: &Tensor| x.f_permute([0, 2, 3, 1])?.f_reshape([-1, channels]);
    let both = Tensor::f_stack(&[places(a)?, places(b)?], -1)?;
    both.f_view([n, height, width, 2 * channels])?.f_permute([0, 3, 1, 2])
}
