//! What the NVIDIA driver tells of a GPU.

use libloading::os::unix::{Library, RTLD_NOW, Symbol};
use serde::{Deserialize, Serialize};
use std::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr::null_mut,
};

const DRIVER: &str = "libcuda.so.1";

/// A GPU's memory at one moment, whoever uses it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceMemory {
    /// What nobody uses.
    pub free: u64,
    /// All there is.
    pub total: u64,
}

/// The driver, initialised, and what it calls the GPU; none where there is no driver, or no such GPU.
fn device(index: usize) -> Option<(Library, c_int)> {
    let index = c_int::try_from(index).ok()?;
    let mut device: c_int = 0;
    // SAFETY: the functions have these signatures in the CUDA driver API (cuda.h) since its first version; the pointer is to a local
    // that outlives the call.
    unsafe {
        let driver = Library::open(Some(DRIVER), RTLD_NOW).ok()?;
        let init: Symbol<unsafe extern "C" fn(c_uint) -> c_int> = driver.get(b"cuInit\0").ok()?;
        let get: Symbol<unsafe extern "C" fn(*mut c_int, c_int) -> c_int> = driver.get(b"cuDeviceGet\0").ok()?;
        let is_there = init(0) == 0 && get(&mut device, index) == 0;
        is_there.then_some((driver, device))
    }
}

/// The GPU's model, from the NVIDIA driver.
pub fn model(index: usize) -> Option<String> {
    let (driver, device) = device(index)?;
    let mut name: [c_char; 256] = [0; 256];
    // SAFETY: the function has this signature since the driver API's first version; the buffer outlives the call and its length is
    // passed along.
    let filled = unsafe {
        let get_name: Symbol<unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int> =
            driver.get(b"cuDeviceGetName\0").ok()?;
        get_name(name.as_mut_ptr(), 255, device) == 0
    };
    // SAFETY: the buffer was zeroed and the driver wrote at most 255 bytes of it, so it ends in a zero.
    filled.then(|| unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
}

/// Whether the GPU multiplies bf16: those of compute capability 8 and above do. Where the driver does not tell, it may not.
pub fn multiplies_bf16(index: usize) -> bool {
    const COMPUTE_CAPABILITY_MAJOR: c_int = 75;
    const AMPERE: c_int = 8;
    let Some((driver, device)) = device(index) else { return false };
    let mut major: c_int = 0;
    // SAFETY: the function has this signature since the driver API's first version; the pointer is to a local that outlives the call.
    let asked = unsafe {
        driver
            .get::<unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int>(b"cuDeviceGetAttribute\0")
            .is_ok_and(|attribute| attribute(&mut major, COMPUTE_CAPABILITY_MAJOR, device) == 0)
    };
    asked && major >= AMPERE
}

/// The GPU's memory, from the NVIDIA driver.
///
/// It is asked within the device's primary context, which libtorch uses too; that context's own memory counts as used.
pub fn memory(index: usize) -> Option<DeviceMemory> {
    let (driver, device) = device(index)?;
    let (mut context, mut popped): (*mut c_void, *mut c_void) = (null_mut(), null_mut());
    let (mut free, mut total): (usize, usize) = (0, 0);
    // SAFETY: the functions have these signatures in the CUDA driver API (cuda.h) since version 7; every pointer is to a
    // local that outlives its call. The context is retained while it is current and released once it no longer is.
    let told = unsafe {
        let retain: Symbol<unsafe extern "C" fn(*mut *mut c_void, c_int) -> c_int> =
            driver.get(b"cuDevicePrimaryCtxRetain\0").ok()?;
        let release: Symbol<unsafe extern "C" fn(c_int) -> c_int> =
            driver.get(b"cuDevicePrimaryCtxRelease_v2\0").ok()?;
        let push: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int> = driver.get(b"cuCtxPushCurrent_v2\0").ok()?;
        let pop: Symbol<unsafe extern "C" fn(*mut *mut c_void) -> c_int> = driver.get(b"cuCtxPopCurrent_v2\0").ok()?;
        let info: Symbol<unsafe extern "C" fn(*mut usize, *mut usize) -> c_int> =
            driver.get(b"cuMemGetInfo_v2\0").ok()?;
        if retain(&mut context, device) != 0 {
            return None;
        }
        let mut told = false;
        if push(context) == 0 {
            told = info(&mut free, &mut total) == 0;
            told &= pop(&mut popped) == 0;
        }
        release(device);
        told
    };
    told.then_some(DeviceMemory { free: free as u64, total: total as u64 })
}
