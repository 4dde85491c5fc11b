//! What stands behind a convolution.

use tch::{TchError, Tensor};

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The numbers as they are.
    None,
    /// max(x, 0).
    Relu,
    /// x times its sigmoid; also called swish.
    Silu,
}

impl Activation {
    /// The function of a tensor that nobody else needs: it is overwritten.
    pub fn of(self, mut x: Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::None => Ok(x),
            Self::Relu => x.f_relu_(),
            Self::Silu => x.f_silu_(),
        }
    }
}
