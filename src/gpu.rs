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
pub use recording::{Recording, between_captures};
pub use upload::{copy, copy_to, upload};

/// The libtorch that the program is built with: tch takes no other.
pub const LIBTORCH: &str = "2.11.0";

/// How libtorch, cuDNN and cuBLAS say that memory is full.
const FULL: [&str; 5] =
    ["out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED", "ALLOCATION_FAILED"];

/// cuDNN's words where it has no way to compute something, or no room for the workspace of any.
pub const NO_ENGINE: &str = "unable to find an engine";

/// Whether an error of libtorch says that memory is full, the GPU's or the machine's.
pub fn is_full(error: &tch::TchError) -> bool {
    let text = error.to_string();
    FULL.iter().any(|words| text.contains(words))
}

/// What libtorch says first: a C++ backtrace follows.
pub fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Gives memory of the GPU that was freed, and is kept for what comes next, back to the driver; without the extension it stays.
pub fn give_back() {
    if let Ok(extension) = extension::get() {
        // SAFETY: it takes nothing; the allocator frees what nobody uses, under its own locks
        let given_back = between_captures(|| extension::checked(unsafe { (extension.give_back)() }));
        if let Err(error) = given_back {
            tracing::debug!("the GPU's memory is not given back: {error}");
        }
    }
}

/// Loads what there is for the rest of the process. Must come before the first call into libtorch, which asks whether its
/// GPU half is there only once.
///
/// The error is why there is no GPU half, without a full stop.
pub fn load() -> Result<(), String> {
    half::load()?;
    extension::load();
    Ok(())
}
