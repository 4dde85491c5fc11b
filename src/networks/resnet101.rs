//! ResNet-101: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1,
//! <https://arxiv.org/abs/1512.03385>.

use super::families::resnet::Variant;

pub(super) const VARIANT: Variant = Variant { blocks: [3, 4, 23, 3], groups: 1, width_per_group: 64 };
