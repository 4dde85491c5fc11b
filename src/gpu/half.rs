//! libtorch's GPU half: the binary links only the CPU half, and so runs where there is no GPU.

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::{
    ffi::c_int,
    path::{Path, PathBuf},
};

const CPU_HALF: &str = "libtorch_cpu.so";
const GPU_HALF: &str = "libtorch_cuda.so";

/// Loads `libtorch_cuda.so` for the rest of the process. The error is the reason, without a full stop.
pub fn load() -> Result<(), String> {
    // SAFETY: libtorch_cuda.so is a part of the libtorch that is already loaded. Its initialisers register kernels, no more.
    let library = unsafe { open_beside_libtorch(GPU_HALF, RTLD_GLOBAL, "fetches") }?;
    // kept for ever: its kernels are registered in libtorch
    let _handle = library.into_raw();
    Ok(())
}

/// Opens a library from beside `libtorch_cpu.so` or by the loader's path. The error is the reason, and what `make
/// libtorch-cuda` does about it.
///
/// # Safety
///
/// The library's initialisers run.
pub unsafe fn open_beside_libtorch(file: &str, flags: c_int, remedy: &str) -> Result<Library, String> {
    let beside = folder_of_cpu_half().map(|folder| folder.join(file)).filter(|path| path.exists());
    let is_beside = beside.is_some();
    let path = beside.unwrap_or_else(|| PathBuf::from(file));
    // SAFETY: the caller's
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | flags) };
    library.map_err(|error| match is_beside {
        true => format!("{file} cannot be loaded ({})", cause(&error)),
        false => format!("{file} is not installed (`make libtorch-cuda` {remedy} it)"),
    })
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
