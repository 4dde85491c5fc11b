//! From a grey picture of a knee to what a network is shown.

use super::Look;
use image::GrayImage;
use tch::{Kind, TchError, Tensor};

/// The channels' mean and deviation on ImageNet, by which torchvision's networks normalise.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Knees on the device, as the grey bytes they are: they go there once, and are resized there for every member.
pub struct Films {
    /// Neighbours of one size together, each `[n, 1, h, w]`, of bytes.
    runs: Vec<Tensor>,
    norm: Normalisation,
}

/// From grey levels to what torchvision's networks expect.
pub struct Normalisation {
    mean: Tensor,
    deviation: Tensor,
}

impl Normalisation {
    /// Its six numbers are copied by `upload`, which returns a tensor's copy on the device.
    pub fn new(upload: impl Fn(&Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        let of = |channels: &[f32]| upload(&Tensor::f_from_slice(channels)?);
        Ok(Self { mean: of(&MEAN)?, deviation: of(&DEVIATION)? })
    }

    /// Both views of grey levels `[n, 1, s, s]`: `[2n, 3, s, s]`, all as they are, then all flipped left-right.
    pub fn both_ways(&self, upright: &Tensor) -> Result<Tensor, TchError> {
        self.of(Tensor::f_cat(&[upright, &upright.f_flip([3])?], 0)?)
    }

    /// Grey levels 0 to 255, `[n, 1, s, s]`, overwritten, to three equal channels `[n, 3, s, s]`: divided by 255; minus mean,
    /// by deviation. A place's channels lie side by side in memory.
    pub fn of(&self, mut grey: Tensor) -> Result<Tensor, TchError> {
        let grey = grey.f_div_scalar_(255.0)?;
        grey.f_permute([0, 2, 3, 1])?.f_sub(&self.mean)?.f_div_(&self.deviation)?.f_permute([0, 3, 1, 2])
    }
}

impl Films {
    /// Copies the knees by `upload`, which returns a tensor's copy on the device.
    pub fn upload(
        knees: &[&GrayImage],
        upload: impl Fn(&Tensor) -> Result<Tensor, TchError>,
    ) -> Result<Self, TchError> {
        let of_one_size = |run: &[&GrayImage]| {
            let (n, width, height) = (run.len() as i64, i64::from(run[0].width()), i64::from(run[0].height()));
            let bytes = run.iter().map(|knee| knee.as_raw().as_slice()).collect::<Vec<_>>().concat();
            upload(&Tensor::f_from_slice(&bytes)?.f_view([n, 1, height, width])?)
        };
        let runs = knees.chunk_by(|a, b| a.dimensions() == b.dimensions()).map(of_one_size);
        Ok(Self { runs: runs.collect::<Result<_, _>>()?, norm: Normalisation::new(&upload)? })
    }

    /// Both views of every knee in one batch `[2n, 3, s, s]`: all as they are, then all flipped left-right; normalised.
    pub fn views(&self, look: Look) -> Result<Tensor, TchError> {
        let runs = self.runs.iter().map(|run| seen(run, look)).collect::<Result<Vec<_>, _>>()?;
        self.norm.both_ways(&Tensor::f_cat(&runs, 0)?)
    }
}

/// Grey levels 0 to 255 of knees `[n, 1, h, w]`, as a look sees them: `[n, 1, s, s]`, in float32.
///
/// OpenCV's INTER_CUBIC to the look's side (libtorch's bicubic with half-pixel centres agrees with it to one level in 10,000
/// pixels), rounded and clamped to grey levels again; of that the middle.
pub fn seen(run: &Tensor, look: Look) -> Result<Tensor, TchError> {
    let [side, margin, size] = [look.side(), look.margin(), look.size()].map(i64::from);
    let (_, _, height, width) = run.size4()?;
    let mut grey = run.f_to_kind(Kind::Float)?;
    if (height, width) != (side, side) {
        grey = grey.f_upsample_bicubic2d([side, side], false, None, None)?.f_round_()?.f_clamp_(0.0, 255.0)?;
    }
    grey.f_narrow(2, margin, size)?.f_narrow(3, margin, size)
}
