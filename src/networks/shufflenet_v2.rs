//! ShuffleNetV2: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", ECCV 2018,
//! <https://arxiv.org/abs/1807.11164>. Names and shapes are torchvision's.

use super::{
    Backbone, Network,
    layers::{self, ConvNorm, Geometry, Linear},
    weights::{Scope, WeightsError},
};
use tch::{TchError, Tensor};

/// Units per stage, stage 2 first.
const REPEATS: [usize; 3] = [4, 8, 4];

/// Twice the width: the paper's table 5, rightmost column.
pub(super) fn x2_0(root: &mut Scope, classes: i64) -> Result<Network, WeightsError> {
    build(root, [24, 244, 488, 976, 2048], classes)
}

/// `channels`: after the first convolution, the three stages, and the last convolution.
fn build(root: &mut Scope, channels: [i64; 5], classes: i64) -> Result<Network, WeightsError> {
    let [first_out, .., last_in, last_out] = channels;
    let first = ConvNorm::take(&mut root.at("conv1"), "0", "1", Geometry::dense(3, first_out, 3, 2))?;
    let mut units = Vec::new();
    for (stage, (widths, repeats)) in channels.windows(2).zip(REPEATS).enumerate() {
        let mut stage = root.at(format_args!("stage{}", stage + 2));
        units.push(Unit::Down(Down::take(&mut stage.at(0), widths[0], widths[1])?));
        for unit in 1..repeats {
            units.push(Unit::Keep(Branch::take(&mut stage.at(unit).at("branch2"), widths[1] / 2, widths[1] / 2, 1)?));
        }
    }
    let last = ConvNorm::take(&mut root.at("conv5"), "0", "1", Geometry::dense(last_in, last_out, 1, 1))?;
    let head = Linear::take(&mut root.at("fc"), last_out, classes)?;
    Ok(Network { backbone: Box::new(ShuffleNetV2 { first, units, last }), head })
}

struct ShuffleNetV2 {
    first: ConvNorm,
    units: Vec<Unit>,
    last: ConvNorm,
}

impl Backbone for ShuffleNetV2 {
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        let mut x = self.first.forward_relu(&layers::channels_last(views)?)?;
        x = x.f_max_pool2d([3; 2], [2; 2], [1; 2], [1; 2], false)?;
        for unit in &self.units {
            x = match unit {
                Unit::Down(down) => down.forward(&x)?,
                Unit::Keep(branch) => keep(branch, &x)?,
            };
        }
        self.last.forward_relu(&x)
    }
}

enum Unit {
    Down(Down),
    Keep(Branch),
}

/// Half of the channels pass, the other half goes through the branch.
fn keep(branch: &Branch, x: &Tensor) -> Result<Tensor, TchError> {
    let half = x.size4()?.1 / 2;
    layers::interleave(&x.f_narrow(1, 0, half)?, &branch.forward(&x.f_narrow(1, half, half)?)?)
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
        Ok(Self {
            depthwise: ConvNorm::take(&mut side, "0", "1", Geometry::depthwise(inputs, 3, 2))?,
            pointwise: ConvNorm::take(&mut side, "2", "3", Geometry::dense(inputs, outputs / 2, 1, 1))?,
            branch: Branch::take(&mut module.at("branch2"), inputs, outputs / 2, 2)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let side = self.pointwise.forward_relu(&self.depthwise.forward(x)?)?;
        layers::interleave(&side, &self.branch.forward(x)?)
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
        Ok(Self {
            before: ConvNorm::take(module, "0", "1", Geometry::dense(inputs, channels, 1, 1))?,
            depthwise: ConvNorm::take(module, "3", "4", Geometry::depthwise(channels, 3, stride))?,
            after: ConvNorm::take(module, "5", "6", Geometry::dense(channels, channels, 1, 1))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let x = self.depthwise.forward(&self.before.forward_relu(x)?)?;
        self.after.forward_relu(&x)
    }
}
