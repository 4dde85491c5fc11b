//! What a network leaves out by chance while it learns. Who grades leaves nothing out.
//!
//! Chance is libtorch's own generator, drawn from as torchvision draws: the same seed leaves out the same.

use crate::networks::weights::Scope;
use tch::{TchError, Tensor};

/// Numbers are left out, one by one, and the others grow by as much.
///
/// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15 (2014) 1929-1958.
pub struct Dropout(f64);

impl Dropout {
    /// Each number with this probability, where the network learns.
    pub fn of(root: &Scope, probability: f64) -> Self {
        Self(probability * root.omission())
    }

    /// Any shape to the same shape.
    pub fn forward(&self, x: Tensor) -> Result<Tensor, TchError> {
        if self.0 == 0.0 { Ok(x) } else { x.f_dropout(self.0, true) }
    }
}

/// A block is left out, view by view, and what it adds to the others grows by as much.
///
/// Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016, <https://arxiv.org/abs/1603.09382>.
pub struct StochasticDepth(f64);

impl StochasticDepth {
    /// With this probability, where the network learns.
    pub fn of(module: &Scope, probability: f64) -> Self {
        Self(probability * module.omission())
    }

    /// What a block would add, `[n, c, h, w]`, to the same shape.
    pub fn forward(&self, added: Tensor) -> Result<Tensor, TchError> {
        if self.0 == 0.0 {
            return Ok(added);
        }
        let stays = 1.0 - self.0;
        let mut noise = Tensor::f_empty([added.size()[0], 1, 1, 1], (added.kind(), added.device()))?;
        added.f_mul(&noise.f_bernoulli_float_(stays)?.f_div_scalar_(stays)?)
    }
}
