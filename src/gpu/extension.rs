//! The extension's functions, found once.

use super::{
    LIBTORCH,
    half::{cause, open_beside_libtorch},
};
use libloading::os::unix::{Library, RTLD_LOCAL};
use std::{
    ffi::{CStr, c_char, c_int, c_void},
    sync::OnceLock,
};
use tch::TchError;

const FILE: &str = "libkellgrend_cuda.so";

static EXTENSION: OnceLock<Result<Extension, String>> = OnceLock::new();

/// An object of C++: a lane, a recording, a tensor.
pub type Object = *mut c_void;

/// What a function says is wrong, or null; it holds until the thread's next call.
type Trouble = *const c_char;

/// The functions as `libtorch/kellgrend_cuda.cpp` declares them.
pub struct Extension {
    pub elementwise: unsafe extern "C" fn(Trouble, Trouble, *const Object, usize, *mut Object) -> Trouble,
    pub upload: unsafe extern "C" fn(Object, c_int, *mut Object) -> Trouble,
    pub lane_new: unsafe extern "C" fn(c_int, bool, *mut Object) -> Trouble,
    pub lane_free: unsafe extern "C" fn(Object),
    pub lane_follow: unsafe extern "C" fn(Object) -> Trouble,
    pub lane_enter: unsafe extern "C" fn(Object) -> Trouble,
    pub lane_leave: unsafe extern "C" fn(Object) -> Trouble,
    pub lane_join: unsafe extern "C" fn(Object) -> Trouble,
    pub give_back: unsafe extern "C" fn() -> Trouble,
    pub recording_begin: unsafe extern "C" fn(c_int, *mut Object) -> Trouble,
    pub recording_end: unsafe extern "C" fn(Object) -> Trouble,
    pub recording_replay: unsafe extern "C" fn(Object) -> Trouble,
    pub recording_free: unsafe extern "C" fn(Object),
}

/// Whether the extension is there; the error is why not, without a full stop.
pub fn is_extended() -> Result<(), String> {
    loaded().map(drop)
}

/// The extension; the error is why it is not there.
pub fn get() -> Result<&'static Extension, TchError> {
    loaded().map_err(TchError::Torch)
}

fn loaded() -> Result<&'static Extension, String> {
    match EXTENSION.get() {
        Some(Ok(extension)) => Ok(extension),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err("there is no GPU".to_owned()),
    }
}

/// Loads it behind libtorch's GPU half, whose functions it calls.
pub fn load() {
    let loaded = EXTENSION.get_or_init(open);
    match loaded {
        Ok(_) => tracing::debug!("{FILE} is loaded"),
        Err(reason) => tracing::debug!("{reason}"),
    }
}

fn open() -> Result<Extension, String> {
    // SAFETY: the library is our own; all its initialisers are those of libtorch's headers.
    let library = unsafe { open_beside_libtorch(FILE, RTLD_LOCAL, "compiles") }?;
    // SAFETY: the functions have the types that libtorch/kellgrend_cuda.cpp gives them; its version is asked for before any
    // of them is called, and the library is never unloaded.
    let found = unsafe { functions(&library) };
    let _handle = library.into_raw();
    // it is there, and of an older version: somebody believes that it is used
    found
        .map_err(|error| format!("{FILE} is not this program's ({error}); `make libtorch-cuda` compiles it anew"))
        .inspect_err(|reason| tracing::warn!("{reason}"))
}

unsafe fn functions(library: &Library) -> Result<Extension, String> {
    macro_rules! function {
        ($name:literal) => {
            // SAFETY: the caller's
            *unsafe { library.get($name.as_bytes()) }.map_err(|error| cause(&error))?
        };
    }
    let version: unsafe extern "C" fn() -> *const c_char = function!("kellgrend_libtorch");
    // SAFETY: it takes nothing and returns a constant.
    let version = unsafe { CStr::from_ptr(version()) }.to_string_lossy();
    if version != LIBTORCH {
        return Err(format!("it was compiled for libtorch {version}, not {LIBTORCH}"));
    }
    Ok(Extension {
        elementwise: function!("kellgrend_elementwise"),
        upload: function!("kellgrend_upload"),
        lane_new: function!("kellgrend_lane_new"),
        lane_free: function!("kellgrend_lane_free"),
        lane_follow: function!("kellgrend_lane_follow"),
        lane_enter: function!("kellgrend_lane_enter"),
        lane_leave: function!("kellgrend_lane_leave"),
        lane_join: function!("kellgrend_lane_join"),
        give_back: function!("kellgrend_give_back"),
        recording_begin: function!("kellgrend_recording_begin"),
        recording_end: function!("kellgrend_recording_end"),
        recording_replay: function!("kellgrend_recording_replay"),
        recording_free: function!("kellgrend_recording_free"),
    })
}

/// What a function returned, as a result. CUDA says in its first line what is wrong, and behind it how to debug programs.
pub fn checked(trouble: Trouble) -> Result<(), TchError> {
    if trouble.is_null() {
        return Ok(());
    }
    // SAFETY: a text of the extension that holds until this thread calls it again.
    let text = unsafe { CStr::from_ptr(trouble) }.to_string_lossy();
    Err(TchError::Torch(text.lines().next().unwrap_or_default().to_owned()))
}
