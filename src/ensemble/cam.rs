//! Grad-CAM: which places of the picture spoke for the grade.
//!
//! Selvaraju et al., "Grad-CAM", ICCV 2017, <https://arxiv.org/abs/1610.02391>; scaled as pytorch-grad-cam 1.5.7 scales.

use tch::{Device, TchError, Tensor};

/// pytorch-grad-cam's guard against dividing by zero.
const EPSILON: f64 = 1e-7;

/// A square picture of saliency.
#[derive(Clone, PartialEq)]
pub struct SaliencyMap {
    /// The side in pixels.
    pub size: u32,
    /// `size * size` values from 0 to 1, row by row.
    pub values: Vec<f32>,
}

/// A quarter of a million numbers help nobody who reads an error.
impl std::fmt::Debug for SaliencyMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaliencyMap").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Feature maps `[n, c, h, w]` and mean gradients `[n, c]` to saliency `[n, size, size]` from 0 to 1.
///
/// ReLU of the weighted sum, scaled by minimum and maximum, bilinear (half-pixel) to `size`, and scaled again, as
/// pytorch-grad-cam does where it joins layers.
pub fn grad_cam(map: &Tensor, mean_gradient: &Tensor, size: u32) -> Result<Tensor, TchError> {
    let (n, c, h, w) = map.size4()?;
    let weighted = mean_gradient.f_unsqueeze(1)?.f_bmm(&map.f_reshape([n, c, h * w])?)?;
    let places = scaled(&weighted.f_relu()?.f_view([n, 1, h, w])?)?;
    scaled(&resized(&places, size)?)?.f_squeeze_dim(1)
}

/// Members' saliency `[n, s, s]`, each at its own `s`, all brought to one side: `[members, n, size, size]`.
pub fn at_one_size(members: &[Tensor], size: u32) -> Result<Tensor, TchError> {
    let resized = members.iter().map(|maps| resized(&maps.f_unsqueeze(1)?, size)?.f_squeeze_dim(1));
    Tensor::f_stack(&resized.collect::<Result<Vec<_>, _>>()?, 0)
}

/// The mean over members, `[n, size, size]`.
pub fn mean(members: &Tensor) -> Result<Tensor, TchError> {
    members.f_mean_dim([0i64].as_slice(), false, tch::Kind::Float)
}

/// Saliency `[n, size, size]` as pictures of their own, copied from the device at once.
pub fn pictures(maps: &Tensor) -> Result<Vec<SaliencyMap>, TchError> {
    let (_, _, size) = maps.size3()?;
    let pixels = (size * size) as usize;
    let mut values = vec![0f32; maps.numel()];
    maps.f_to(Device::Cpu)?.f_contiguous()?.f_copy_data(&mut values, maps.numel())?;
    Ok(values.chunks(pixels).map(|values| SaliencyMap { size: size as u32, values: values.to_vec() }).collect())
}

/// Each picture of `[n, 1, h, w]` minus its minimum, divided by its maximum.
fn scaled(maps: &Tensor) -> Result<Tensor, TchError> {
    let shifted = maps.f_sub(&maps.f_amin([2i64, 3], true)?)?;
    let most = shifted.f_amax([2i64, 3], true)?.f_add_scalar(EPSILON)?;
    shifted.f_div(&most)
}

fn resized(maps: &Tensor, size: u32) -> Result<Tensor, TchError> {
    let size = i64::from(size);
    let (_, _, height, width) = maps.size4()?;
    if (height, width) == (size, size) {
        return Ok(maps.shallow_clone());
    }
    maps.f_upsample_bilinear2d([size, size], false, None, None)
}
