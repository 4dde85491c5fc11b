//! The residual networks of four stages: ResNet, ResNeXt and Wide ResNet differ in three numbers.
//!
//! He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, <https://arxiv.org/abs/1512.03385>; with the step
//! of two in the block's middle convolution, as torchvision has it ("ResNet v1.5"). Names and shapes are torchvision's.

use crate::networks::{
    Backbone, Body,
    layers::{self, Activation, ConvNorm, Geometry},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// What tells one residual network from another.
pub struct Variant {
    /// Blocks per stage.
    pub blocks: [usize; 4],
    /// Groups of the middle convolutions.
    pub groups: i64,
    /// Channels of one group in the first stage.
    pub width_per_group: i64,
}

/// A block's output has four times as many channels as its stage is named after.
const EXPANSION: i64 = 4;

/// Channels that the stages are named after.
const PLANES: [i64; 4] = [64, 128, 256, 512];

/// Where the head is, and what it is fed.
pub const HEAD: (&str, i64) = ("fc", 2048);

/// Takes all before the global mean.
pub fn body(root: &mut Scope, variant: &Variant) -> Result<Body, WeightsError> {
    let stem = ConvNorm::take(&mut root.early(), "conv1", "bn1", Geometry::dense(3, 64, 7, 2), Activation::Relu)?;
    let mut blocks = Vec::new();
    let mut inputs = 64;
    for (stage, (planes, count)) in PLANES.into_iter().zip(variant.blocks).enumerate() {
        let name = format!("layer{}", stage + 1);
        let mut layer = root.stage(name, stage == 0);
        for block in 0..count {
            let stride = if block == 0 && stage > 0 { 2 } else { 1 };
            blocks.push(Bottleneck::take(&mut layer.at(block), inputs, planes, stride, variant)?);
            inputs = planes * EXPANSION;
        }
    }
    Ok(Body::new(ResNet { stem, blocks }))
}

struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Bottleneck>,
}

impl Backbone for ResNet {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let x = layers::max_pool(&self.stem.forward(views)?)?;
        self.blocks.iter().try_fold(x, |x, block| block.forward(&x))
    }
}

/// One pixel, three, one pixel; added to what came in.
struct Bottleneck {
    narrow: ConvNorm,
    middle: ConvNorm,
    widen: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl Bottleneck {
    fn take(
        module: &mut Scope,
        inputs: i64,
        planes: i64,
        stride: i64,
        variant: &Variant,
    ) -> Result<Self, WeightsError> {
        let width = planes * variant.width_per_group / 64 * variant.groups;
        let outputs = planes * EXPANSION;
        let middle = Geometry::grouped(width, 3, stride, variant.groups);
        let shortcut = (stride != 1 || inputs != outputs).then_some(Geometry::dense(inputs, outputs, 1, stride));
        let relu = Activation::Relu;
        Ok(Self {
            narrow: ConvNorm::take(module, "conv1", "bn1", Geometry::pointwise(inputs, width), relu)?,
            middle: ConvNorm::take(module, "conv2", "bn2", middle, relu)?,
            widen: ConvNorm::take(module, "conv3", "bn3", Geometry::pointwise(width, outputs), relu)?,
            shortcut: shortcut
                .map(|shape| ConvNorm::take(&mut module.at("downsample"), "0", "1", shape, Activation::None))
                .transpose()?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let x = self.narrow.prepared(x)?;
        let inner = self.middle.forward(&self.narrow.forward(&x)?)?;
        match &self.shortcut {
            Some(shortcut) => self.widen.forward_onto(&inner, &shortcut.forward(&x)?),
            None => self.widen.forward_onto(&inner, &x),
        }
    }
}
