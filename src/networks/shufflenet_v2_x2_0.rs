//! ShuffleNetV2-x2.0: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", ECCV 2018,
//! <https://arxiv.org/abs/1807.11164>. Names and shapes are torchvision's.

use super::{
    Backbone, Body,
    layers::{self, Activation, ConvNorm, Geometry},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// Units per stage, stage 2 first.
const REPEATS: [usize; 3] = [4, 8, 4];

/// Channels after the first convolution, the three stages, and the last convolution; twice the width is the rightmost
/// column of the paper's table 5.
const CHANNELS: [i64; 5] = [24, 244, 488, 976, 2048];

/// Where the head is, and what it is fed.
pub(super) const HEAD: (&str, i64) = ("fc", 2048);

pub(super) fn body(root: &mut Scope) -> Result<Body, WeightsError> {
    let [first_out, .., last_in, last_out] = CHANNELS;
    let first = relu(&mut root.early().at("conv1"), "0", "1", Geometry::dense(3, first_out, 3, 2))?;
    let mut stages = Vec::new();
    for (index, (widths, repeats)) in CHANNELS.windows(2).zip(REPEATS).enumerate() {
        let name = format!("stage{}", index + 2);
        let mut stage = root.stage(name, index == 0);
        let down = Down::take(&mut stage.at(0), widths[0], widths[1])?;
        let half = widths[1] / 2;
        let keep = (1..repeats).map(|unit| Branch::take(&mut stage.at(unit).at("branch2"), half, half, 1));
        stages.push(Stage { down, keep: keep.collect::<Result<_, _>>()? });
    }
    let last = relu(&mut root.at("conv5"), "0", "1", Geometry::pointwise(last_in, last_out))?;
    Ok(Body::new(ShuffleNetV2 { first, stages, last }))
}

fn relu(module: &mut Scope, conv: &str, norm: &str, geometry: Geometry) -> Result<ConvNorm, WeightsError> {
    ConvNorm::take(module, conv, norm, geometry, Activation::Relu)
}

fn linear(module: &mut Scope, conv: &str, norm: &str, geometry: Geometry) -> Result<ConvNorm, WeightsError> {
    ConvNorm::take(module, conv, norm, geometry, Activation::None)
}

struct ShuffleNetV2 {
    first: ConvNorm,
    stages: Vec<Stage>,
    last: ConvNorm,
}

impl Backbone for ShuffleNetV2 {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let x = layers::max_pool(&self.first.forward(views)?)?;
        self.last.forward(&self.stages.iter().try_fold(x, |x, stage| stage.forward(&x))?)
    }
}

/// One unit that halves the picture's side, then units that keep it.
struct Stage {
    down: Down,
    keep: Vec<Branch>,
}

impl Stage {
    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        self.keep.iter().try_fold(self.down.forward(x)?, |x, branch| keep(branch, &x))
    }
}

/// Half of the channels pass, the other half goes through the branch.
fn keep(branch: &Branch, x: &Tensor) -> Result<Tensor, TchError> {
    // cut in one call: behind two slices, a backward pass would add up two gradients of the whole
    let halves = x.f_chunk(2, 1)?;
    layers::interleave(&halves[0], &branch.forward(&halves[1])?)
}

/// The unit that halves the picture's size and changes the number of channels.
struct Down {
    depthwise: ConvNorm,
    pointwise: ConvNorm,
    branch: Branch,
}

impl Down {
    fn take(module: &mut Scope, inputs: i64, outputs: i64) -> Result<Self, WeightsError> {
        let mut side = module.at("branch1");
        let mut depthwise = linear(&mut side, "0", "1", Geometry::depthwise(inputs, 3, 2))?;
        let mut pointwise = relu(&mut side, "2", "3", Geometry::pointwise(inputs, outputs / 2))?;
        depthwise.hand_bias_to(&mut pointwise)?;
        let branch = Branch::take(&mut module.at("branch2"), inputs, outputs / 2, 2)?;
        Ok(Self { depthwise, pointwise, branch })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let x = self.depthwise.prepared(x)?;
        let side = self.pointwise.forward(&self.depthwise.forward(&x)?)?;
        layers::interleave(&side, &self.branch.forward(&x)?)
    }
}

/// Pointwise, depthwise, pointwise.
struct Branch {
    before: ConvNorm,
    depthwise: ConvNorm,
    after: ConvNorm,
}

impl Branch {
    fn take(module: &mut Scope, inputs: i64, channels: i64, stride: i64) -> Result<Self, WeightsError> {
        let before = relu(module, "0", "1", Geometry::pointwise(inputs, channels))?;
        let mut depthwise = linear(module, "3", "4", Geometry::depthwise(channels, 3, stride))?;
        let mut after = relu(module, "5", "6", Geometry::pointwise(channels, channels))?;
        depthwise.hand_bias_to(&mut after)?;
        Ok(Self { before, depthwise, after })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        self.after.forward(&self.depthwise.forward(&self.before.forward(x)?)?)
    }
}
