//! In which form a network computes: as it was published, or as fast as the device can.

use super::layers;
use tch::{Kind, TchError, Tensor};

/// How a network is made out of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Layer by layer in float32, as torchvision computes it: the reference that the other form is held against.
    Plain,
    /// Batch norm folded into the convolution before it (Jacob et al., "Quantization and training of neural networks for
    /// efficient integer-arithmetic-only inference", CVPR 2018, section 3.2), activations fused where the device has
    /// the kernel, channels last.
    Folded {
        /// The numbers of the first stage. What tells one film from another are small differences between neighbouring
        /// greys, which numbers of 8 bits round away there and nowhere else: a first stage in bf16 alone makes as large
        /// an error as the whole network in bf16, and one that is finer leaves a fifth of it.
        early: Kind,
        /// The numbers of all stages behind it.
        late: Kind,
    },
}

impl Form {
    /// Folded, in numbers of one kind.
    pub const fn folded(kind: Kind) -> Self {
        Self::Folded { early: kind, late: kind }
    }

    /// The size of the numbers that nearly all of it computes in.
    pub(super) fn bytes_a_number(self) -> u64 {
        match self {
            Self::Plain => Kind::Float.elt_size_in_bytes() as u64,
            Self::Folded { late, .. } => late.elt_size_in_bytes() as u64,
        }
    }

    /// Views as the first layer wants them.
    pub(super) fn prepare(self, views: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Plain => views.f_to_kind(Kind::Float)?.f_contiguous(),
            Self::Folded { early, .. } => layers::channels_last(&views.f_to_kind(early)?),
        }
    }
}
