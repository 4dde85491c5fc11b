//! DenseNet-161: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, <https://arxiv.org/abs/1608.06993>:
//! 48 new channels a layer. Names and shapes are torchvision's.

use super::{
    Backbone, Body,
    layers::{self, Activation, Conv, ConvNorm, Geometry, Norm, NormRelu, NormShape},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// Layers per block.
const BLOCKS: [usize; 4] = [6, 12, 36, 24];

/// Channels after the first convolution.
const FIRST: i64 = 96;

/// Channels that a layer adds.
const GROWTH: i64 = 48;

/// Channels between a layer's two convolutions.
const BOTTLENECK: i64 = 4 * GROWTH;

/// Where the head is, and what it is fed.
pub(super) const HEAD: (&str, i64) = ("classifier", 2208);

pub(super) fn body(root: &mut Scope) -> Result<Body, WeightsError> {
    let is_folded = root.folded_into().is_some();
    let mut features = root.at("features");
    let first =
        ConvNorm::take(&mut features.early(), "conv0", "norm0", Geometry::dense(3, FIRST, 7, 2), Activation::Relu)?;
    let mut blocks = Vec::new();
    let mut channels = FIRST;
    for (index, count) in BLOCKS.into_iter().enumerate() {
        let mut layers = Vec::new();
        let name = format!("denseblock{}", index + 1);
        let mut block = features.stage(name, index == 0);
        for layer in 0..count {
            layers.push(Layer::take(&mut block.at(format_args!("denselayer{}", layer + 1)), channels)?);
            channels += GROWTH;
        }
        let last = index + 1 == BLOCKS.len();
        let name = format!("transition{}", index + 1);
        let transition = (!last).then(|| Transition::take(&mut features.at(name), channels)).transpose()?;
        blocks.push(Block { layers, channels, transition, is_folded });
        channels /= if last { 1 } else { 2 };
    }
    let norm = Norm::take(&mut features.at("norm5"), channels, NormShape::USUAL)?;
    // torchvision's last ReLU belongs to what stands behind the map, and so does the gradient's share in it
    Ok(Body::new(DenseNet { first, blocks, norm }).with_relu())
}

/// torchvision's file is older than its names: `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`.
pub(super) fn modern_name(name: &str) -> Option<String> {
    let (layer, rest) = name.split_at_checked(name.find(".denselayer")?)?;
    let old = ["norm.1", "norm.2", "conv.1", "conv.2"].into_iter().find(|old| rest.contains(&format!(".{old}.")))?;
    Some(format!("{layer}{}", rest.replacen(old, &old.replace('.', ""), 1)))
}

struct DenseNet {
    first: ConvNorm,
    blocks: Vec<Block>,
    norm: Norm,
}

impl Backbone for DenseNet {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let x = layers::max_pool(&self.first.forward(views)?)?;
        let x = self.blocks.iter().try_fold(x, |x, block| block.forward(&x))?;
        self.norm.forward(&x)
    }
}

/// Layers of which each sees what all before it have made.
struct Block {
    layers: Vec<Layer>,
    /// Channels at its end, before the transition.
    channels: i64,
    transition: Option<Transition>,
    is_folded: bool,
}

impl Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let all = if self.is_folded { self.in_place(x)? } else { self.concatenated(x)? };
        match &self.transition {
            Some(transition) => transition.forward(&all),
            None => Ok(all),
        }
    }

    fn concatenated(&self, x: &Tensor) -> Result<Tensor, TchError> {
        self.layers.iter().try_fold(x.shallow_clone(), |all, layer| Tensor::f_cat(&[&all, &layer.forward(&all)?], 1))
    }

    /// One tensor for all, each layer writing behind the others: concatenating anew for each would move every channel as
    /// often as there are layers after it.
    fn in_place(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let (n, inputs, height, width) = x.size4()?;
        let all =
            Tensor::f_empty([n, height, width, self.channels], (x.kind(), x.device()))?.f_permute([0, 3, 1, 2])?;
        all.f_narrow(1, 0, inputs)?.f_copy_(x)?;
        let mut known = inputs;
        for layer in &self.layers {
            let new = layer.forward(&all.f_narrow(1, 0, known)?)?;
            all.f_narrow(1, known, GROWTH)?.f_copy_(&new)?;
            known += GROWTH;
        }
        Ok(all)
    }
}

struct Layer {
    norm: NormRelu,
    narrow: ConvNorm,
    grow: Conv,
}

impl Layer {
    fn take(module: &mut Scope, inputs: i64) -> Result<Self, WeightsError> {
        let narrow = Geometry::pointwise(inputs, BOTTLENECK);
        Ok(Self {
            norm: NormRelu::take(&mut module.at("norm1"), inputs, NormShape::USUAL)?,
            narrow: ConvNorm::take(module, "conv1", "norm2", narrow, Activation::Relu)?,
            grow: Conv::take(&mut module.at("conv2"), Geometry::dense(BOTTLENECK, GROWTH, 3, 1))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        self.grow.forward(&self.narrow.forward(&self.norm.forward(x)?)?)
    }
}

/// Between two blocks: half the channels, half the side.
struct Transition {
    norm: NormRelu,
    conv: Conv,
    is_folded: bool,
}

impl Transition {
    fn take(module: &mut Scope, inputs: i64) -> Result<Self, WeightsError> {
        Ok(Self {
            norm: NormRelu::take(&mut module.at("norm"), inputs, NormShape::USUAL)?,
            conv: Conv::take(&mut module.at("conv"), Geometry::pointwise(inputs, inputs / 2))?,
            is_folded: module.folded_into().is_some(),
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let x = self.norm.forward(x)?;
        if self.is_folded {
            // A mean of places and a weighted sum of channels may change places: a quarter of the work.
            self.conv.forward(&halved(&x)?)
        } else {
            halved(&self.conv.forward(&x)?)
        }
    }
}

/// The mean of every 2x2 places.
fn halved(x: &Tensor) -> Result<Tensor, TchError> {
    x.f_avg_pool2d([2; 2], [2; 2], [0; 2], false, true, None)
}
