//! Wide ResNet-50-2: Zagoruyko and Komodakis, "Wide Residual Networks", BMVC 2016, <https://arxiv.org/abs/1605.07146>:
//! a ResNet-50 whose inner convolutions are twice as wide.

use super::families::resnet::Variant;

pub(super) const VARIANT: Variant = Variant { blocks: [3, 4, 6, 3], groups: 1, width_per_group: 128 };
