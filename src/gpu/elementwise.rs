//! A kernel of one's own that computes each number from those at the same place.

use super::extension::{self, Object, checked};
use std::ffi::CStr;
use tch::{TchError, Tensor};

/// A function of one place's numbers in CUDA C++: one pass over memory for what libtorch does in several.
///
/// libtorch's jiterator (`ATen/cuda/jiterator.h`) compiles it once for each kind of number, broadcasts the inputs and lays
/// the result as the first of them lies.
pub struct Elementwise {
    /// The name of the template in `code`.
    pub name: &'static CStr,
    /// `template <typename T> T name(T a, T b, ...) { ... }`
    pub code: &'static CStr,
}

impl Elementwise {
    /// The function of tensors on a GPU, of one kind and of shapes that broadcast.
    pub fn of(&self, inputs: &[&Tensor]) -> Result<Tensor, TchError> {
        let extension = extension::get()?;
        let operands: Vec<Object> = inputs.iter().map(|input| input.as_ptr().cast_mut().cast()).collect();
        let mut output: Object = std::ptr::null_mut();
        // SAFETY: the operands are tensors that outlive the call, which only reads them; where there is no trouble, `output`
        // has become a tensor that nobody else owns.
        unsafe {
            checked((extension.elementwise)(
                self.name.as_ptr(),
                self.code.as_ptr(),
                operands.as_ptr(),
                operands.len(),
                &mut output,
            ))?;
            Ok(Tensor::from_ptr(output.cast()))
        }
    }
}
