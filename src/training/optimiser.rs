//! Adam, over all parameters at once.

use serde::{Deserialize, Serialize};
use tch::{TchError, Tensor};

/// Which of the two ways weight decay goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimiser {
    /// Part of the gradient: Kingma and Ba, ICLR 2015, <https://arxiv.org/abs/1412.6980>.
    Adam,
    /// Apart from it: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
    /// <https://arxiv.org/abs/1711.05101>.
    #[default]
    AdamW,
}

/// How much of the last mean gradient, and of its square, is kept at each step; PyTorch's defaults.
const KEPT: (f64, f64) = (0.9, 0.999);

/// Keeps a step from dividing by zero; PyTorch's default.
const EPSILON: f64 = 1e-8;

/// What the optimiser remembers between two steps.
pub struct Adam {
    kind: Optimiser,
    /// Steps taken.
    pub steps: i64,
    /// The running mean of the gradient.
    pub mean: Tensor,
    /// The running mean of its square.
    pub square: Tensor,
    /// Room for what a step computes on its way: memory of this size is not asked for at every step.
    room: Tensor,
}

impl Adam {
    /// Before the first step on values like these.
    pub fn new(kind: Optimiser, like: &Tensor) -> Result<Self, TchError> {
        Ok(Self {
            kind,
            steps: 0,
            mean: like.f_zeros_like()?,
            square: like.f_zeros_like()?,
            room: like.f_zeros_like()?,
        })
    }

    /// One step of `values` against `gradient`, as PyTorch takes it.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rate: f64, decay: f64) -> Result<(), TchError> {
        self.steps += 1;
        let Self { mean, square, room, .. } = self;
        if self.kind == Optimiser::AdamW {
            let _ = values.f_mul_scalar_(1.0 - rate * decay)?;
        }
        let gradient = match self.kind {
            Optimiser::Adam if decay > 0.0 => gradient.f_add(&values.f_mul_scalar(decay)?)?,
            _ => gradient.shallow_clone(),
        };
        let _ = mean.f_lerp_(&gradient, 1.0 - KEPT.0)?;
        let _ = square.f_lerp_(&gradient.f_square_out(room)?, 1.0 - KEPT.1)?;
        let corrected = |kept: f64| 1.0 - kept.powi(self.steps as i32);
        let _ = square.f_sqrt_out(room)?;
        let _ = room.f_div_scalar_(corrected(KEPT.1).sqrt())?.f_add_scalar_(EPSILON)?;
        let _ = room.f_reciprocal_()?.f_mul_(mean)?.f_mul_scalar_(rate / corrected(KEPT.0))?;
        let _ = values.f_sub_(room)?;
        Ok(())
    }
}
