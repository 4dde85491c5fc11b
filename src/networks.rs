//! The networks: one architecture a file, torchvision's shapes and parameter names, a five-way last layer.
//!
//! A network is a backbone that turns views into a feature map, and behind it only a global mean and one linear head.
//! The two are kept apart, so that Grad-CAM needs neither hooks nor a backward pass: the gradient of a logit with respect
//! to the map has a closed form.

pub mod imagenet;
mod layers;
mod shufflenet_v2;
pub mod weights;

use crate::grade::GRADES;
use layers::Linear;
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::{TchError, Tensor};
use weights::{Weights, WeightsError};

/// A known architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Architecture {
    /// ShuffleNetV2 with twice the width.
    ShufflenetV2X2_0,
}

impl Architecture {
    /// All of them, in alphabetical order of their names.
    pub const ALL: [Self; 1] = [Self::ShufflenetV2X2_0];

    /// torchvision's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShufflenetV2X2_0 => "shufflenet_v2_x2_0",
        }
    }

    /// The side, in pixels, of the square views that it is trained and run on unless a release says otherwise.
    pub fn image_size(self) -> u32 {
        match self {
            Self::ShufflenetV2X2_0 => 512,
        }
    }

    /// Builds the network out of named weights, on the weights' device.
    ///
    /// Every name must be there with its shape, every value be finite, and nothing be left over; the error names the
    /// tensor.
    pub fn build(self, weights: &mut Weights) -> Result<Network, WeightsError> {
        let network = tch::no_grad(|| match self {
            Self::ShufflenetV2X2_0 => shufflenet_v2::x2_0(&mut weights.root(), GRADES as i64),
        })?;
        weights.finish()?;
        Ok(network)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Architecture {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is not a known architecture ({known})")
        })
    }
}

impl TryFrom<String> for Architecture {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> String {
        architecture.name().to_owned()
    }
}

/// All of a network before its global mean.
trait Backbone: Send {
    /// Views `[n, 3, s, s]` to the feature map `[n, c, h, w]`.
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError>;
}

/// A network with its weights, ready to run.
pub struct Network {
    backbone: Box<dyn Backbone>,
    head: Linear,
}

impl Network {
    /// Normalised views `[n, 3, s, s]` to the feature map `[n, c, h, w]`, the one that Grad-CAM looks at.
    pub fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        self.backbone.map(views)
    }

    /// A feature map to logits `[n, 5]`.
    pub fn logits(&self, map: &Tensor) -> Result<Tensor, TchError> {
        self.head.forward(&layers::global_mean(map)?)
    }

    /// The spatial mean `[n, c]` of d(logit of a grade) / d(map), the grade chosen per view by index `[n]`.
    ///
    /// Behind the map are only a mean over `h * w` places and one linear layer, so that the gradient is the same at every
    /// place: the head's row for the grade, divided by `h * w`.
    pub fn mean_gradient(&self, map: &Tensor, grades: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = map.size4()?;
        self.head.rows(grades)?.f_div_scalar((height * width) as f64)
    }
}
