//! Copies to the GPU that the caller does not wait for.

use super::extension::{self, Object, checked};
use std::ffi::c_int;
use tch::{TchError, Tensor};

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
