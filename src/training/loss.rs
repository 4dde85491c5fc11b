//! What a network is told of its answers: cross-entropy, and how far off they are.

use crate::grade::GRADES;
use tch::{Kind, Reduction, TchError, Tensor};

/// Ignored by libtorch where no class has this number.
const NO_CLASS: i64 = -100;

/// What counts.
pub struct Loss<'a> {
    /// What a knee's cross-entropy counts, by grade; none where all count alike.
    pub balance: Option<&'a Tensor>,
    /// The share of the truth that the four other grades get, with the grade itself.
    pub smoothing: f64,
    /// What the squared earth mover's distance counts beside cross-entropy.
    pub ordinal: f64,
}

impl Loss<'_> {
    /// The mean over knees, `[]`, of logits `[n, 5]` whose truths are `[n]`, grades as numbers, or `[n, 5]`, the share of each grade.
    pub fn of(&self, logits: &Tensor, truths: &Tensor) -> Result<Tensor, TchError> {
        let entropy = logits.f_cross_entropy_loss(truths, self.balance, Reduction::Mean, NO_CLASS, self.smoothing)?;
        match self.ordinal > 0.0 {
            true => entropy.f_add(&distance(logits, truths)?.f_mul_scalar(self.ordinal)?),
            false => Ok(entropy),
        }
    }
}

/// The squared earth mover's distance of probabilities from truths: grades are ordered, and one that is two away is further off than
/// a neighbour. Hou, Yu and Samaras, "Squared Earth Mover's Distance-based Loss for Training Deep Neural Networks", 2016,
/// <https://arxiv.org/abs/1611.05916>, eq. 13 with l = 2.
fn distance(logits: &Tensor, truths: &Tensor) -> Result<Tensor, TchError> {
    let shares = match truths.dim() {
        1 => truths.f_one_hot(GRADES as i64)?.f_to_kind(Kind::Float)?,
        _ => truths.shallow_clone(),
    };
    let short = logits.f_softmax(-1, Kind::Float)?.f_sub(&shares)?.f_cumsum(-1, Kind::Float)?;
    short.f_square()?.f_sum_dim_intlist(-1, false, Kind::Float)?.f_mean(Kind::Float)
}
