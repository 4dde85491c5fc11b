//! From a grey picture of a knee to what a network is shown.

use image::GrayImage;
use tch::{Device, Kind, TchError, Tensor};

/// The channels' mean and deviation on ImageNet, by which torchvision's networks normalise.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// One knee as a normalised view `[1, 3, size, size]`.
///
/// OpenCV's INTER_CUBIC to the size (libtorch's bicubic with half-pixel centres agrees with it to one level in 10,000
/// pixels), rounded and clamped to grey levels again; three equal channels; divided by 255; minus mean, by deviation.
pub fn view(knee: &GrayImage, size: u32) -> Result<Tensor, TchError> {
    let (width, height) = (i64::from(knee.width()), i64::from(knee.height()));
    let mut grey =
        Tensor::f_from_slice(knee.as_raw().as_slice())?.f_view([1, 1, height, width])?.f_to_kind(Kind::Float)?;
    let side = i64::from(size);
    if (width, height) != (side, side) {
        grey = grey.f_upsample_bicubic2d([side, side], false, None, None)?.f_round_()?.f_clamp_(0.0, 255.0)?;
    }
    let mean = Tensor::f_from_slice(&MEAN)?.f_view([1, 3, 1, 1])?;
    let deviation = Tensor::f_from_slice(&DEVIATION)?.f_view([1, 3, 1, 1])?;
    grey.f_div_scalar_(255.0)?.f_sub(&mean)?.f_div_(&deviation)
}

/// Both views of every knee in one batch `[2n, 3, size, size]`: all as they are, then all flipped left-right.
pub fn views(knees: &[&GrayImage], size: u32, device: Device) -> Result<Tensor, TchError> {
    let each = knees.iter().map(|knee| view(knee, size)).collect::<Result<Vec<_>, _>>()?;
    let upright = Tensor::f_cat(&each, 0)?.f_to(device)?;
    Tensor::f_cat(&[&upright, &upright.f_flip([3])?], 0)
}
