//! The networks: one architecture a file, torchvision's shapes and parameter names, a five-way last layer.
//!
//! A network is a backbone that turns views into a feature map, and behind it only (a ReLU,) a global mean and one linear
//! head. The two are kept apart, so that Grad-CAM needs neither hooks nor a backward pass: the gradient of a logit with
//! respect to the map has a closed form. Every network can be built in two [`Form`]s out of the same weights.

mod densenet161;
mod efficientnet_b5;
mod efficientnet_v2_s;
mod families;
mod form;
pub mod imagenet;
pub(crate) mod layers;
mod regnet_y_8gf;
mod resnet101;
mod resnext50_32x4d;
mod shufflenet_v2_x2_0;
pub mod weights;
mod wide_resnet50_2;

pub use form::Form;

use crate::grade::GRADES;
use families::{efficientnet, resnet};
use layers::{Dropout, Linear};
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::{Kind, TchError, Tensor};
use weights::{Scope, Weights, WeightsError};

/// Classes of ImageNet, for which torchvision's published weights were trained.
const IMAGENET_CLASSES: i64 = 1000;

/// A known architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[allow(missing_docs)] // the names are torchvision's; each has a file that says where it comes from
pub enum Architecture {
    Densenet161,
    EfficientnetB5,
    EfficientnetV2S,
    RegnetY8Gf,
    Resnet101,
    Resnext50_32x4d,
    ShufflenetV2X2_0,
    WideResnet50_2,
}

impl Architecture {
    /// All of them, in alphabetical order of their names.
    pub const ALL: [Self; 8] = [
        Self::Densenet161,
        Self::EfficientnetB5,
        Self::EfficientnetV2S,
        Self::RegnetY8Gf,
        Self::Resnet101,
        Self::Resnext50_32x4d,
        Self::ShufflenetV2X2_0,
        Self::WideResnet50_2,
    ];

    /// torchvision's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Densenet161 => "densenet161",
            Self::EfficientnetB5 => "efficientnet_b5",
            Self::EfficientnetV2S => "efficientnet_v2_s",
            Self::RegnetY8Gf => "regnet_y_8gf",
            Self::Resnet101 => "resnet101",
            Self::Resnext50_32x4d => "resnext50_32x4d",
            Self::ShufflenetV2X2_0 => "shufflenet_v2_x2_0",
            Self::WideResnet50_2 => "wide_resnet50_2",
        }
    }

    /// The side, in pixels, of the square views that it is trained and run on unless a release says otherwise: the paper's.
    pub fn image_size(self) -> u32 {
        match self {
            Self::EfficientnetV2S => 384,
            Self::RegnetY8Gf => 448,
            Self::Densenet161 | Self::EfficientnetB5 | Self::Resnet101 | Self::WideResnet50_2 => 456,
            Self::Resnext50_32x4d | Self::ShufflenetV2X2_0 => 512,
        }
    }

    /// Builds the network out of named weights, on the weights' device.
    ///
    /// Every name must be there with its shape, every value be finite, and nothing be left over; the error names the
    /// tensor.
    pub fn build(self, weights: &mut Weights, form: Form) -> Result<Network, WeightsError> {
        self.take(weights, form, |head, inputs| Linear::take(head, inputs, GRADES as i64))
    }

    /// Builds the network out of torchvision's published ImageNet weights; in place of their head of 1000 classes it has
    /// one of five that has learnt nothing yet.
    pub fn build_from_imagenet(self, weights: &mut Weights, form: Form) -> Result<Network, WeightsError> {
        self.take(weights, form, |head, inputs| {
            let _of_1000 = head.pass_over("weight", &[IMAGENET_CLASSES, inputs])?;
            let _of_1000 = head.pass_over("bias", &[IMAGENET_CLASSES])?;
            Linear::fresh(head, inputs, GRADES as i64)
        })
    }

    /// Builds the network to learn, in the plain form, and names the parts that it is made of; of ImageNet's weights with
    /// a fresh head. `omission` is the share of its dropout and stochastic depth that is in force: 1 is as published, 0 none.
    pub fn build_to_learn(
        self,
        mut weights: Weights,
        imagenet: bool,
        omission: f64,
    ) -> Result<(Network, Vec<Part>), WeightsError> {
        (weights.parts, weights.omission) = (Some(Vec::new()), omission);
        let network = match imagenet {
            true => self.build_from_imagenet(&mut weights, Form::Plain),
            false => self.build(&mut weights, Form::Plain),
        }?;
        let mut parts = weights.parts.unwrap_or_default();
        let head = format!("{}.", self.head().0);
        parts.iter_mut().for_each(|part| part.is_head = part.name.starts_with(&head));
        Ok((network, parts))
    }

    fn take(
        self,
        weights: &mut Weights,
        form: Form,
        head: impl Fn(&mut Scope, i64) -> Result<Linear, WeightsError>,
    ) -> Result<Network, WeightsError> {
        if self == Self::Densenet161 {
            weights.rename(densenet161::modern_name);
        }
        let network = tch::no_grad(|| {
            let mut root = weights.root(form);
            let body = match self {
                Self::Densenet161 => densenet161::body(&mut root),
                Self::EfficientnetB5 => efficientnet::body(&mut root, &efficientnet_b5::VARIANT),
                Self::EfficientnetV2S => efficientnet::body(&mut root, &efficientnet_v2_s::VARIANT),
                Self::RegnetY8Gf => regnet_y_8gf::body(&mut root),
                Self::Resnet101 => resnet::body(&mut root, &resnet101::VARIANT),
                Self::Resnext50_32x4d => resnet::body(&mut root, &resnext50_32x4d::VARIANT),
                Self::ShufflenetV2X2_0 => shufflenet_v2_x2_0::body(&mut root),
                Self::WideResnet50_2 => resnet::body(&mut root, &wide_resnet50_2::VARIANT),
            }?;
            let (name, inputs) = self.head();
            let in_body = root.numbers();
            let dropout = Dropout::of(&root, self.dropout());
            let head = head(&mut root.at(name), inputs)?;
            let bytes = in_body * form.bytes_a_number() + head.bytes();
            Ok::<_, WeightsError>(Network { body, dropout, head, form, bytes })
        })?;
        weights.finish()?;
        Ok(network)
    }

    /// How much of what its last layer is fed is left out while it learns, as torchvision builds it.
    fn dropout(self) -> f64 {
        match self {
            Self::EfficientnetB5 => efficientnet_b5::DROPOUT,
            Self::EfficientnetV2S => efficientnet_v2_s::DROPOUT,
            _ => 0.0,
        }
    }

    /// The last layer's name, and how many channels it is fed.
    fn head(self) -> (&'static str, i64) {
        match self {
            Self::Densenet161 => densenet161::HEAD,
            Self::EfficientnetB5 => efficientnet_b5::HEAD,
            Self::EfficientnetV2S => efficientnet_v2_s::HEAD,
            Self::RegnetY8Gf => regnet_y_8gf::HEAD,
            Self::Resnet101 | Self::Resnext50_32x4d | Self::WideResnet50_2 => resnet::HEAD,
            Self::ShufflenetV2X2_0 => shufflenet_v2_x2_0::HEAD,
        }
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

/// A tensor of a network that learns.
pub struct Part {
    /// Its full name.
    pub name: String,
    /// Its shape in a file.
    pub shape: Vec<i64>,
    /// The very tensor that the network computes with, perhaps in another shape of as many numbers.
    pub tensor: Tensor,
    /// Whether it is one of the last layer's.
    pub is_head: bool,
}

/// All of a network up to its feature map.
trait Backbone: Send {
    /// Views `[n, 3, s, s]`, prepared for the form, to the feature map `[n, c, h, w]`.
    fn map(&self, views: &Tensor) -> Result<Tensor, TchError>;
}

/// A backbone, and whether a ReLU stands between its map and the mean.
struct Body {
    backbone: Box<dyn Backbone>,
    relu_behind: bool,
}

impl Body {
    fn new(backbone: impl Backbone + 'static) -> Self {
        Self { backbone: Box::new(backbone), relu_behind: false }
    }

    fn with_relu(self) -> Self {
        Self { relu_behind: true, ..self }
    }
}

/// A network with its weights, ready to run.
pub struct Network {
    body: Body,
    dropout: Dropout,
    head: Linear,
    form: Form,
    bytes: u64,
}

impl Network {
    /// The memory that its weights take, in bytes, as if all but the head were in the form's numbers: some small tensors
    /// stay float32 and folded batch norms are gone, together about one in a hundred.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Normalised views `[n, 3, s, s]` to the feature map `[n, c, h, w]` in float32, the one that Grad-CAM looks at.
    pub fn map(&self, views: &Tensor) -> Result<Tensor, TchError> {
        self.body.backbone.map(&self.form.prepare(views)?)?.f_to_kind(Kind::Float)
    }

    /// A feature map to logits `[n, 5]`.
    pub fn logits(&self, map: &Tensor) -> Result<Tensor, TchError> {
        let mean = match self.body.relu_behind {
            true => layers::global_mean(&map.f_relu()?),
            false => layers::global_mean(map),
        }?;
        self.head.forward(&self.dropout.forward(mean)?)
    }

    /// The spatial mean `[n, c]` of d(logit of a grade) / d(map), the grade chosen per view by index `[n]`.
    ///
    /// Behind the map are only a mean over `h * w` places and one linear layer, so that the gradient is the same at every
    /// place: the head's row for the grade, divided by `h * w`. A ReLU between them lets it through where the map is
    /// positive, so that the mean has that share of it.
    pub fn mean_gradient(&self, map: &Tensor, grades: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = map.size4()?;
        let everywhere = self.head.rows(grades)?.f_div_scalar((height * width) as f64)?;
        match self.body.relu_behind {
            true => everywhere.f_mul(&layers::global_mean(&map.f_gt(0.0)?)?),
            false => Ok(everywhere),
        }
    }
}
