//! Launches that are captured once and replayed: a CUDA graph.

use super::{
    Lane,
    extension::{self, Extension, Object, checked},
};
use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};
use tch::{Cuda, TchError};

/// Held while launches are captured: whoever waits for the device then, or gives its memory back, breaks the capture, in whatever
/// thread.
static CAPTURE: Mutex<()> = Mutex::new(());

/// Does what a capture elsewhere must not meet.
pub fn between_captures<T>(work: impl FnOnce() -> T) -> T {
    let _between = CAPTURE.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Work for a GPU, written down: replayed, it costs one launch instead of thousands.
///
/// It reads and writes the memory that it was captured with: put new inputs into the same tensors, and use the outputs
/// before the next replay.
pub struct Recording {
    object: Object,
    extension: &'static Extension,
}

// SAFETY: a CUDA graph is bound to no thread.
unsafe impl Send for Recording {}

impl Recording {
    /// Writes the work down, without doing it, and returns what it returned: tensors that each replay fills.
    ///
    /// The work must have been done in the same lanes before, so that libraries are set up; it may use lanes of its own
    /// that it joins, and must not wait for the device.
    pub fn capture<T, E: From<TchError>>(
        gpu: usize,
        lane: &Lane,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        let extension = extension::get()?;
        let capture = || {
            let mut object: Object = std::ptr::null_mut();
            // SAFETY: `object` is a local; it is written where there is no trouble.
            checked(unsafe { (extension.recording_begin)(gpu as c_int, &mut object) })?;
            let recording = Self { object, extension };
            let outcome = work();
            // SAFETY: the object lives as long as `recording`. It ends even if the work failed, so that the lane is free again.
            let ended = checked(unsafe { (extension.recording_end)(object) });
            let outcome = outcome?;
            ended?;
            Ok((recording, outcome))
        };
        between_captures(|| {
            Cuda::synchronize(gpu as i64);
            lane.follow()?;
            lane.run(capture)
        })
    }

    /// Gives the thread's current stream all that was written down.
    pub fn replay(&self) -> Result<(), TchError> {
        // SAFETY: the object lives as long as `self`.
        checked(unsafe { (self.extension.recording_replay)(self.object) })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // SAFETY: nobody else has the object.
        unsafe { (self.extension.recording_free)(self.object) };
    }
}
