//! Copies to the GPU that the caller does not wait for.

use super::extension::{self, Object, checked};
use std::ffi::c_int;
use tch::{Device, TchError, Tensor};

/// A tensor's copy on a device, which the caller does not wait for where the device can do without.
pub fn copy_to(tensor: &Tensor, device: Device) -> Result<Tensor, TchError> {
    match device {
        Device::Cuda(gpu) if extension::is_extended().is_ok() => upload(tensor, gpu),
        _ => tensor.f_to(device),
    }
}

/// A tensor of its own, laid as the other is; tch's own way panics where memory is full.
pub fn copy(tensor: &Tensor) -> Result<Tensor, TchError> {
    let mut copy = tensor.f_empty_like()?;
    copy.f_copy_(tensor)?;
    Ok(copy)
}

/// A tensor's copy on a GPU, made by the thread's current stream while the caller goes on.
pub fn upload(tensor: &Tensor, gpu: usize) -> Result<Tensor, TchError> {
    let extension = extension::get()?;
    let mut copy: Object = std::ptr::null_mut();
    // SAFETY: `tensor` outlives the call, which copies it to pinned memory that libtorch keeps until the device has it;
    // where there is no trouble, `copy` has become a tensor that nobody else owns.
    unsafe {
        checked((extension.upload)(tensor.as_ptr().cast_mut().cast(), gpu as c_int, &mut copy))?;
        Ok(Tensor::from_ptr(copy.cast()))
    }
}
