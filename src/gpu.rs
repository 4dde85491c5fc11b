//! The GPU: its driver, libtorch's half for it, and an extension of ours, all loaded at run time.
//!
//! The extension is a page of C++ on libtorch (`libtorch/kellgrend_cuda.cpp`) for what tch has no call for. A program that
//! does not find it computes the same in more steps.
#![allow(unsafe_code)]

mod driver;
mod elementwise;
mod extension;
mod half;
mod lane;
mod recording;
mod upload;

pub use driver::{DeviceMemory, memory, model, multiplies_bf16};
pub use elementwise::Elementwise;
pub use extension::is_extended;
pub use lane::Lane;
pub use recording::Recording;
pub use upload::{copy_to, upload};

/// The libtorch that the program is built with: tch takes no other.
pub const LIBTORCH: &str = "2.11.0";

/// Loads what there is for the rest of the process. Must come before the first call into libtorch, which asks whether its
/// GPU half is there only once.
///
/// The error is why there is no GPU half, without a full stop.
pub fn load() -> Result<(), String> {
    half::load()?;
    extension::load();
    Ok(())
}
