//! From a grey picture of a knee to what a network is shown.

use image::GrayImage;
use tch::{Device, Kind, TchError, Tensor};

/// The channels' mean and deviation on ImageNet, by which torchvision's networks normalise.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Knees on the device, as the grey bytes they are: they go there once, and are resized there for every member.
pub struct Films {
    /// Each `[1, 1, h, w]`, of bytes.
    knees: Vec<Tensor>,
    mean: Tensor,
    deviation: Tensor,
}

impl Films {
    /// Copies the knees to the device.
    pub fn upload(knees: &[&GrayImage], device: Device) -> Result<Self, TchError> {
        let upload = |knee: &&GrayImage| {
            let (width, height) = (i64::from(knee.width()), i64::from(knee.height()));
            Tensor::f_from_slice(knee.as_raw().as_slice())?.f_view([1, 1, height, width])?.f_to(device)
        };
        Ok(Self {
            knees: knees.iter().map(upload).collect::<Result<_, _>>()?,
            mean: Tensor::f_from_slice(&MEAN)?.f_to(device)?,
            deviation: Tensor::f_from_slice(&DEVIATION)?.f_to(device)?,
        })
    }

    /// Both views of every knee in one batch `[2n, 3, size, size]`: all as they are, then all flipped left-right.
    ///
    /// OpenCV's INTER_CUBIC to the size (libtorch's bicubic with half-pixel centres agrees with it to one level in 10,000
    /// pixels), rounded and clamped to grey levels again; three equal channels; divided by 255; minus mean, by deviation.
    /// A place's channels lie side by side in memory.
    pub fn views(&self, size: u32) -> Result<Tensor, TchError> {
        let each = self.knees.iter().map(|knee| resized(knee, size)).collect::<Result<Vec<_>, _>>()?;
        let upright = Tensor::f_cat(&each, 0)?;
        let both = Tensor::f_cat(&[&upright, &upright.f_flip([3])?], 0)?.f_div_scalar_(255.0)?;
        both.f_permute([0, 2, 3, 1])?.f_sub(&self.mean)?.f_div_(&self.deviation)?.f_permute([0, 3, 1, 2])
    }
}

/// Grey levels 0 to 255, `[1, 1, size, size]`, in float32.
fn resized(knee: &Tensor, size: u32) -> Result<Tensor, TchError> {
    let side = i64::from(size);
    let (_, _, height, width) = knee.size4()?;
    let mut grey = knee.f_to_kind(Kind::Float)?;
    if (height, width) == (side, side) {
        return Ok(grey);
    }
    grey = grey.f_upsample_bicubic2d([side, side], false, None, None)?;
    grey.f_round_()?.f_clamp_(0.0, 255.0)
}
