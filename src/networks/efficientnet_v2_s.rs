//! EfficientNetV2-S: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021, table 4,
//! <https://arxiv.org/abs/2104.00298>.

use super::families::efficientnet::{Stage, Variant};
use super::layers::NormShape;

/// Where the head is, and what it is fed.
pub(super) const HEAD: (&str, i64) = ("classifier.1", 1280);

/// What the head is not fed, by chance, while it learns.
pub(super) const DROPOUT: f64 = 0.2;

pub(super) const VARIANT: Variant = Variant {
    first: 24,
    stages: &[
        Stage { fused: true, ..stage(1, 1, 24, 2) },
        Stage { fused: true, ..stage(4, 2, 48, 4) },
        Stage { fused: true, ..stage(4, 2, 64, 4) },
        stage(4, 2, 128, 6),
        stage(6, 1, 160, 9),
        stage(6, 2, 256, 15),
    ],
    last: 1280,
    norm: NormShape { epsilon: 1e-3, momentum: 0.1 },
};

const fn stage(expansion: i64, stride: i64, outputs: i64, blocks: usize) -> Stage {
    Stage { fused: false, expansion, kernel: 3, stride, outputs, blocks }
}
