//! Memory that was freed stays with the process for what comes next. A daemon gives it back every so often, a training when it waits.
//!
//! Left alone, the C library asks the system for each large tensor anew. The system clears every page of it first: on a CPU that
//! took half of the time in which ResNet-101 learns, and a tenth of that in which it answers.
#![allow(unsafe_code)]

use libc::{M_ARENA_MAX, M_MMAP_MAX, M_TOP_PAD, M_TRIM_THRESHOLD, c_int, malloc_trim, mallopt};
use std::time::Duration;

/// So much more than is needed is asked of the system.
const AHEAD: c_int = 64 << 20;

/// How often a daemon gives back what is free: seldom, since what comes next asks for it again.
pub const GIVE_BACK_EVERY: Duration = Duration::from_secs(60);

/// For the whole process, before it has a second thread.
pub fn keep_what_is_freed() {
    // SAFETY: four numbers of the allocator are set, under its own lock
    unsafe {
        // what one thread has freed is there for all; and of what threads have to themselves, not all can be given back
        mallopt(M_ARENA_MAX, 1);
        mallopt(M_MMAP_MAX, 0);
        // never
        mallopt(M_TRIM_THRESHOLD, -1);
        mallopt(M_TOP_PAD, AHEAD);
    }
}

/// All whole pages that nothing lies in are the system's again.
pub fn give_back() {
    // SAFETY: the allocator looks through what is free, under its own locks
    unsafe { malloc_trim(0) };
}
