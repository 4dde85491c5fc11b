//! Where the networks start from: torchvision's weights of ImageNet, the ones that it calls DEFAULT.

use super::Architecture;

/// Where torchvision publishes them.
pub const PUBLISHED: &str = "https://download.pytorch.org/models/";

/// One architecture's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImagenetFile {
    /// The architecture.
    pub architecture: Architecture,
    /// The file's name; it ends in the first eight digits of the file's SHA-256.
    pub file: &'static str,
}

/// All of them as torchvision 0.26 knows them, in alphabetical order of their architectures.
pub const FILES: [ImagenetFile; 8] = [
    of(Architecture::Densenet161, "densenet161-8d451a50.pth"),
    of(Architecture::EfficientnetB5, "efficientnet_b5_lukemelas-1a07897c.pth"),
    of(Architecture::EfficientnetV2S, "efficientnet_v2_s-dd5fe13b.pth"),
    of(Architecture::RegnetY8Gf, "regnet_y_8gf-dc2b1b54.pth"),
    of(Architecture::Resnet101, "resnet101-cd907fc2.pth"),
    of(Architecture::Resnext50_32x4d, "resnext50_32x4d-1a0047aa.pth"),
    of(Architecture::ShufflenetV2X2_0, "shufflenetv2_x2_0-8be3c8ee.pth"),
    of(Architecture::WideResnet50_2, "wide_resnet50_2-9ba9bcbe.pth"),
];

const fn of(architecture: Architecture, file: &'static str) -> ImagenetFile {
    ImagenetFile { architecture, file }
}
