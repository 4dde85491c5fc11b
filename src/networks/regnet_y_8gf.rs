//! RegNetY-8GF: Radosavovic et al., "Designing Network Design Spaces", CVPR 2020, <https://arxiv.org/abs/2003.13678>:
//! the widths that its rule makes of w_0 = 192, w_a = 76.82, w_m = 2.19 and groups of 56. Names and shapes are torchvision's.

use super::{
    Backbone, Body,
    layers::{Activation, ConvNorm, Geometry, SqueezeExcitation},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// Channels and blocks of the four stages; each begins with a step of two.
const STAGES: [(i64, usize); 4] = [(224, 2), (448, 4), (896, 10), (2016, 1)];

const STEM: i64 = 32;

/// Channels of one group in the middle convolutions.
const GROUP_WIDTH: i64 = 56;

/// Where the head is, and what it is fed.
pub(super) const HEAD: (&str, i64) = ("fc", 2016);

pub(super) fn body(root: &mut Scope) -> Result<Body, WeightsError> {
    let stem =
        ConvNorm::take(&mut root.early().at("stem"), "0", "1", Geometry::dense(3, STEM, 3, 2), Activation::Relu)?;
    let mut trunk = root.at("trunk_output");
    let mut blocks = Vec::new();
    let mut inputs = STEM;
    for (index, (outputs, count)) in STAGES.into_iter().enumerate() {
        let name = format!("block{}", index + 1);
        let mut stage = trunk.stage(&name, index == 0);
        for block in 0..count {
            let stride = if block == 0 { 2 } else { 1 };
            blocks.push(Block::take(&mut stage.at(format_args!("{name}-{block}")), inputs, outputs, stride)?);
            inputs = outputs;
        }
    }
    Ok(Body::new(RegNet { stem, blocks }))
}

struct RegNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
}

impl Backbone for RegNet {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let x = self.stem.forward(views)?;
        self.blocks.iter().try_fold(x, |x, block| block.forward(&x))
    }
}

/// One pixel, three in groups, squeeze and excitation, one pixel; added to what came in.
struct Block {
    before: ConvNorm,
    middle: ConvNorm,
    excitation: SqueezeExcitation,
    after: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl Block {
    fn take(module: &mut Scope, inputs: i64, outputs: i64, stride: i64) -> Result<Self, WeightsError> {
        let shortcut = (stride != 1 || inputs != outputs).then_some(Geometry::dense(inputs, outputs, 1, stride));
        let shortcut = shortcut
            .map(|shape| ConvNorm::take(&mut module.at("proj"), "0", "1", shape, Activation::None))
            .transpose()?;
        let mut inner = module.at("f");
        let (relu, pointwise) = (Activation::Relu, Geometry::pointwise);
        let middle = Geometry::grouped(outputs, 3, stride, outputs / GROUP_WIDTH);
        Ok(Self {
            before: ConvNorm::take(&mut inner.at("a"), "0", "1", pointwise(inputs, outputs), relu)?,
            middle: ConvNorm::take(&mut inner.at("b"), "0", "1", middle, relu)?,
            // squeezed to a quarter of what comes into the block
            excitation: SqueezeExcitation::take(&mut inner.at("se"), outputs, inputs / 4, relu)?,
            after: ConvNorm::take(&mut inner.at("c"), "0", "1", pointwise(outputs, outputs), relu)?,
            shortcut,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let x = self.before.prepared(x)?;
        let inner = self.middle.forward(&self.before.forward(&x)?)?;
        let inner = self.excitation.forward(inner)?;
        match &self.shortcut {
            Some(shortcut) => self.after.forward_onto(&inner, &shortcut.forward(&x)?),
            None => self.after.forward_onto(&inner, &x),
        }
    }
}
