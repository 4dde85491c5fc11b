//! ResNeXt-50 (32x4d): Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017, table 1,
//! <https://arxiv.org/abs/1611.05431>.

use super::families::resnet::Variant;

pub(super) const VARIANT: Variant = Variant { blocks: [3, 4, 6, 3], groups: 32, width_per_group: 4 };
