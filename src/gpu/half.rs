//! libtorch's GPU half: the binary links only the CPU half, and so runs where there is no GPU.

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::path::{Path, PathBuf};

const CPU_HALF: &str = "libtorch_cpu.so";
const GPU_HALF: &str = "libtorch_cuda.so";

/// Loads `libtorch_cuda.so` for the rest of the process, from beside `libtorch_cpu.so` or by the loader's path.
///
/// The error is the reason, without a full stop.
pub fn load() -> Result<(), String> {
    let (path, is_beside) = beside_libtorch(GPU_HALF);
    // SAFETY: libtorch_cuda.so is a part of the libtorch that is already loaded. Its initialisers register kernels, no more.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL) };
    let library = library.map_err(|error| {
        if is_beside {
            format!("{GPU_HALF} cannot be loaded ({})", cause(&error))
        } else {
            format!("{GPU_HALF} is not installed (`make libtorch-cuda` fetches it)")
        }
    })?;
    // kept for ever: its kernels are registered in libtorch
    let _handle = library.into_raw();
    Ok(())
}

/// A library beside libtorch and whether it is there; else its bare name, for the loader to search.
pub fn beside_libtorch(library: &str) -> (PathBuf, bool) {
    match folder_of_cpu_half().map(|folder| folder.join(library)).filter(|path| path.exists()) {
        Some(path) => (path, true),
        None => (PathBuf::from(library), false),
    }
}

/// What the loader says is wrong.
pub fn cause(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Where the kernel says `libtorch_cpu.so` was mapped from.
fn folder_of_cpu_half() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path =
        maps.lines().find_map(|line| line.find('/').map(|at| &line[at..]).filter(|path| path.ends_with(CPU_HALF)))?;
    Path::new(path).parent().map(Path::to_path_buf)
}
