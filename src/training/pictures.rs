//! The knees of a training set as a network sees them, resident where the network is.

use super::augmentation::Augmentation;
use crate::ensemble::{Look, Normalisation, seen};
use crate::gpu::{copy_to, is_full};
use image::GrayImage;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, TchError, Tensor};

/// Grey pictures of one size, and what networks expect of them.
pub struct Pictures {
    looks: Vec<Look>,
    /// By each look, `[knees, 1, s, s]`, bytes.
    grey: Vec<Tensor>,
    device: Device,
    norm: Normalisation,
}

impl Pictures {
    /// Room for so many knees, on the device where they take no more than `most` bytes there; elsewhere each batch is copied to
    /// it. The first look is at the whole knee, and what is learnt from.
    pub fn new(knees: usize, looks: &[Look], device: Device, most: u64) -> Result<Self, TchError> {
        let home = if Self::bytes(knees, looks) <= most { device } else { Device::Cpu };
        let room = |look: &Look| {
            let size = i64::from(look.size());
            Tensor::f_zeros([knees as i64, 1, size, size], (Kind::Uint8, home))
        };
        let grey = looks.iter().map(room).collect::<Result<_, _>>()?;
        Ok(Self { looks: looks.to_vec(), grey, device, norm: Normalisation::new(|tensor| tensor.f_to(device))? })
    }

    /// What so many take.
    pub fn bytes(knees: usize, looks: &[Look]) -> u64 {
        looks.iter().map(|look| knees as u64 * u64::from(look.size()).pow(2)).sum()
    }

    /// Puts a knee in its place, as grading sees it, made there or, where memory is full, here.
    pub fn put(&self, index: usize, knee: &GrayImage) -> Result<(), TchError> {
        let shape = [1, 1, i64::from(knee.height()), i64::from(knee.width())];
        let picture = Tensor::f_from_slice(knee.as_raw())?.f_view(shape)?;
        for (&look, grey) in self.looks.iter().zip(&self.grey) {
            let seen = match copy_to(&picture, grey.device()).and_then(|there| seen(&there, look)) {
                Err(error) if is_full(&error) => seen(&picture, look),
                other => other,
            };
            grey.f_narrow(0, index as i64, 1)?.f_copy_(&seen?)?;
        }
        Ok(())
    }

    /// How they are seen, first as a whole.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The side of the pictures in pixels.
    pub fn side(&self) -> i64 {
        self.looks[0].size().into()
    }

    /// Knees to learn from, one changed view of each, `[n, 3, side, side]`.
    pub fn to_learn(
        &self,
        knees: &[i64],
        side: i64,
        augmentation: &Augmentation,
        chance: &mut ChaCha8Rng,
    ) -> Result<Tensor, TchError> {
        let mut grey = self.chosen(&self.grey[0], knees)?;
        if side < self.side() {
            grey = grey.f_internal_upsample_bilinear2d_aa([side; 2], false, None, None)?;
        }
        self.norm.of(augmentation.of(&grey, chance)?)
    }

    /// Knees to judge, by each look, both views of each, `[2n, 3, s, s]`: all as they are, then all flipped left-right.
    pub fn to_judge(&self, knees: &[i64]) -> impl Iterator<Item = Result<Tensor, TchError>> {
        self.grey.iter().map(|grey| self.norm.both_ways(&self.chosen(grey, knees)?))
    }

    fn chosen(&self, grey: &Tensor, knees: &[i64]) -> Result<Tensor, TchError> {
        let chosen = copy_to(&Tensor::f_from_slice(knees)?, grey.device())?;
        let chosen = grey.f_index_select(0, &chosen)?;
        let chosen = if grey.device() == self.device { chosen } else { copy_to(&chosen, self.device)? };
        chosen.f_to_kind(Kind::Float)
    }
}
