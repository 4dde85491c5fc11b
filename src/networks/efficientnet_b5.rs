//! EfficientNet-B5: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
//! <https://arxiv.org/abs/1905.11946>: table 1, 1.6 times as wide and 2.2 times as deep.

use super::families::efficientnet::{Stage, Variant};
use super::layers::NormShape;

/// Where the head is, and what it is fed.
pub(super) const HEAD: (&str, i64) = ("classifier.1", 2048);

/// What the head is not fed, by chance, while it learns.
pub(super) const DROPOUT: f64 = 0.4;

pub(super) const VARIANT: Variant = Variant {
    first: 48,
    stages: &[
        stage(1, 3, 1, 24, 3),
        stage(6, 3, 2, 40, 5),
        stage(6, 5, 2, 64, 5),
        stage(6, 3, 2, 128, 7),
        stage(6, 5, 1, 176, 7),
        stage(6, 5, 2, 304, 9),
        stage(6, 3, 1, 512, 3),
    ],
    last: 2048,
    norm: NormShape { epsilon: 1e-3, momentum: 0.01 },
};

const fn stage(expansion: i64, kernel: i64, stride: i64, outputs: i64, blocks: usize) -> Stage {
    Stage { fused: false, expansion, kernel, stride, outputs, blocks }
}
