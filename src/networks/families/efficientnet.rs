//! The networks of inverted residual blocks: a first convolution, stages of blocks, a last convolution.
//!
//! Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
//! <https://arxiv.org/abs/1905.11946>, and "EfficientNetV2: Smaller Models and Faster Training", ICML 2021,
//! <https://arxiv.org/abs/2104.00298>. Names and shapes are torchvision's.

use crate::networks::{
    Backbone, Body,
    layers::{Activation, ConvNorm, Geometry, NormShape, SqueezeExcitation, StochasticDepth},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// What tells one of them from another.
pub struct Variant {
    /// Channels after the first convolution.
    pub first: i64,
    /// The stages.
    pub stages: &'static [Stage],
    /// Channels after the last convolution.
    pub last: i64,
    /// The batch norms' numbers.
    pub norm: NormShape,
}

/// Blocks of one shape; the first of them takes the step and changes the number of channels.
pub struct Stage {
    /// Whether the expansion and the depthwise convolution are one dense convolution.
    pub fused: bool,
    /// How many times wider a block is inside.
    pub expansion: i64,
    /// The kernel's side.
    pub kernel: i64,
    /// The first block's step.
    pub stride: i64,
    /// Channels that come out.
    pub outputs: i64,
    /// How many blocks.
    pub blocks: usize,
}

/// How many stages are the first, as far as numbers go: those on half and a quarter of the picture's side.
const EARLY: usize = 2;

/// How often the last block is left out while the network learns; those before it less often, the first one never.
const LEFT_OUT: f64 = 0.2;

/// Takes all before the global mean.
pub fn body(root: &mut Scope, variant: &Variant) -> Result<Body, WeightsError> {
    let mut features = root.at("features");
    let norm = variant.norm;
    let shape = Geometry::dense(3, variant.first, 3, 2);
    let first = ConvNorm::take_with(&mut features.early().at(0), "0", "1", shape, Activation::Silu, norm)?;
    let all: usize = variant.stages.iter().map(|stage| stage.blocks).sum();
    let mut blocks = Vec::new();
    let mut inputs = variant.first;
    for (index, stage) in variant.stages.iter().enumerate() {
        let mut module = features.stage(index + 1, index < EARLY);
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            let left_out = StochasticDepth::of(&module, LEFT_OUT * blocks.len() as f64 / all as f64);
            blocks.push(Block::take(&mut module.at(block).at("block"), stage, inputs, stride, norm, left_out)?);
            inputs = stage.outputs;
        }
    }
    let shape = Geometry::pointwise(inputs, variant.last);
    let mut last = features.at(variant.stages.len() + 1);
    let last = ConvNorm::take_with(&mut last, "0", "1", shape, Activation::Silu, norm)?;
    Ok(Body::new(EfficientNet { first, blocks, last }))
}

struct EfficientNet {
    first: ConvNorm,
    blocks: Vec<Block>,
    last: ConvNorm,
}

impl Backbone for EfficientNet {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let x = self.first.forward(views)?;
        let x = self.blocks.iter().try_fold(x, |x, block| block.forward(&x))?;
        self.last.forward(&x)
    }
}

/// An inverted residual block: wide inside, narrow at its ends; added to what came in where the shapes allow it.
struct Block {
    /// All but the last convolution, in order.
    inner: Vec<ConvNorm>,
    excitation: Option<SqueezeExcitation>,
    project: ConvNorm,
    left_out: StochasticDepth,
    is_residual: bool,
}

impl Block {
    fn take(
        module: &mut Scope,
        stage: &Stage,
        inputs: i64,
        stride: i64,
        norm_shape: NormShape,
        left_out: StochasticDepth,
    ) -> Result<Self, WeightsError> {
        let Stage { fused, expansion, kernel, outputs, .. } = *stage;
        let wide = inputs * expansion;
        let mut children = 0..;
        let mut child = || children.next().unwrap_or_default();
        let conv = |module: &mut Scope, child: usize, shape, activation| {
            ConvNorm::take_with(&mut module.at(child), "0", "1", shape, activation, norm_shape)
        };
        let silu = Activation::Silu;
        let mut inner = Vec::new();
        if !fused && expansion != 1 {
            inner.push(conv(module, child(), Geometry::pointwise(inputs, wide), silu)?);
        }
        if !fused {
            inner.push(conv(module, child(), Geometry::depthwise(wide, kernel, stride), silu)?);
        } else if expansion != 1 {
            inner.push(conv(module, child(), Geometry::dense(inputs, wide, kernel, stride), silu)?);
        }
        // squeezed to a quarter of what comes into the block, not of its width inside
        let excitation = (!fused)
            .then(|| SqueezeExcitation::take(&mut module.at(child()), wide, (inputs / 4).max(1), silu))
            .transpose()?;
        let project = match inner.is_empty() {
            true => conv(module, child(), Geometry::dense(inputs, outputs, kernel, stride), silu)?,
            false => conv(module, child(), Geometry::pointwise(wide, outputs), Activation::None)?,
        };
        Ok(Self { inner, excitation, project, left_out, is_residual: stride == 1 && inputs == outputs })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let mut inner = x.shallow_clone();
        for conv in &self.inner {
            inner = conv.forward(&inner)?;
        }
        if let Some(excitation) = &self.excitation {
            inner = excitation.forward(inner)?;
        }
        let projected = self.project.forward(&inner)?;
        if self.is_residual { self.left_out.forward(projected)?.f_add_(x) } else { Ok(projected) }
    }
}
