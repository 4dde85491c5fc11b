//! The knees of a training set at a network's image size, resident where the network is.

use super::augmentation::Augmentation;
use crate::ensemble::{Normalisation, resized};
use crate::gpu::{copy_to, is_full};
use image::GrayImage;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, TchError, Tensor};

/// Grey pictures of one size, and what networks expect of them.
pub struct Pictures {
    /// `[knees, 1, s, s]`, bytes.
    grey: Tensor,
    device: Device,
    norm: Normalisation,
}

impl Pictures {
    /// Room for so many knees at `side` pixels, on the device where it takes no more than `most` bytes there; elsewhere each
    /// batch is copied to it.
    pub fn new(knees: usize, side: u32, device: Device, most: u64) -> Result<Self, TchError> {
        let bytes = knees as u64 * u64::from(side) * u64::from(side);
        let home = if bytes <= most { device } else { Device::Cpu };
        let size = i64::from(side);
        let grey = Tensor::f_zeros([knees as i64, 1, size, size], (Kind::Uint8, home))?;
        Ok(Self { grey, device, norm: Normalisation::new(|tensor| tensor.f_to(device))? })
    }

    /// Puts a knee in its place, resized as grading resizes it, there or, where memory is full, here.
    pub fn put(&self, index: usize, knee: &GrayImage, side: u32) -> Result<(), TchError> {
        let shape = [1, 1, i64::from(knee.height()), i64::from(knee.width())];
        let picture = Tensor::f_from_slice(knee.as_raw())?.f_view(shape)?;
        let resized = match copy_to(&picture, self.grey.device()).and_then(|there| resized(&there, side)) {
            Err(error) if is_full(&error) => resized(&picture, side),
            other => other,
        };
        self.grey.f_narrow(0, index as i64, 1)?.f_copy_(&resized?)
    }

    /// The side of the pictures in pixels.
    pub fn side(&self) -> i64 {
        self.grey.size()[3]
    }

    /// Knees to learn from, one changed view of each, `[n, 3, side, side]`.
    pub fn to_learn(
        &self,
        knees: &[i64],
        side: i64,
        augmentation: &Augmentation,
        chance: &mut ChaCha8Rng,
    ) -> Result<Tensor, TchError> {
        let mut grey = self.grey(knees)?;
        if side < self.side() {
            grey = grey.f_internal_upsample_bilinear2d_aa([side; 2], false, None, None)?;
        }
        self.norm.of(augmentation.of(&grey, chance)?)
    }

    /// Knees to judge, both views of each, `[2n, 3, s, s]`: all as they are, then all flipped left-right.
    pub fn to_judge(&self, knees: &[i64]) -> Result<Tensor, TchError> {
        let upright = self.grey(knees)?;
        self.norm.of(Tensor::f_cat(&[&upright, &upright.f_flip([3])?], 0)?)
    }

    fn grey(&self, knees: &[i64]) -> Result<Tensor, TchError> {
        let chosen = copy_to(&Tensor::f_from_slice(knees)?, self.grey.device())?;
        self.grey.f_index_select(0, &chosen)?.f_to(self.device)?.f_to_kind(Kind::Float)
    }
}
