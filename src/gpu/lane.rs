//! Streams of launches that run side by side.

use super::extension::{self, Extension, Object, checked};
use std::ffi::c_int;
use tch::TchError;

/// A stream of launches beside the thread's own. All of one device are used by one thread at a time.
///
/// libtorch gives memory that a lane is done with to that lane again, and to no other, without asking whether another still
/// reads it. So what was made in one stream and is read in another is kept until the reader has been waited for: by the
/// caller, or by [`Lane::join`] and then [`Lane::follow`].
pub struct Lane {
    object: Object,
    extension: &'static Extension,
}

// SAFETY: the object is two names of streams, which belong to the process.
unsafe impl Send for Lane {}

impl Lane {
    /// A lane on a GPU. The error is why there is none, in words.
    pub fn new(gpu: usize) -> Result<Self, TchError> {
        Self::of(gpu, false)
    }

    /// A lane whose work goes before that of others.
    pub fn urgent(gpu: usize) -> Result<Self, TchError> {
        Self::of(gpu, true)
    }

    fn of(gpu: usize, is_urgent: bool) -> Result<Self, TchError> {
        let extension = extension::get()?;
        let mut object: Object = std::ptr::null_mut();
        // SAFETY: `object` is a local; it is written where there is no trouble.
        checked(unsafe { (extension.lane_new)(gpu as c_int, is_urgent, &mut object) })?;
        Ok(Self { object, extension })
    }

    /// What the lane is given from now on waits for all that the thread's current stream was given.
    pub fn follow(&self) -> Result<(), TchError> {
        // SAFETY: the object lives as long as `self`.
        checked(unsafe { (self.extension.lane_follow)(self.object) })
    }

    /// Gives the lane work, to be done when it has done what it was given before.
    pub fn run<T, E: From<TchError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        // SAFETY: the object lives as long as `self`.
        checked(unsafe { (self.extension.lane_enter)(self.object) })?;
        let entered = Entered(self);
        let outcome = work();
        drop(entered);
        outcome
    }

    /// What the thread's current stream is given from now on waits for all that the lane was given.
    pub fn join(&self) -> Result<(), TchError> {
        // SAFETY: the object lives as long as `self`.
        checked(unsafe { (self.extension.lane_join)(self.object) })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // SAFETY: nobody else has the object.
        unsafe { (self.extension.lane_free)(self.object) };
    }
}

/// The lane is left even if the work panics.
struct Entered<'a>(&'a Lane);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // SAFETY: the object lives as long as the lane. Leaving sets a variable of the thread, and cannot fail.
        let _never = unsafe { (self.0.extension.lane_leave)(self.0.object) };
    }
}
