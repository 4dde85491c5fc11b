//! What a large film took is the system's again as soon as it is freed.
//!
//! Left alone, the C library learns from the first large film to keep as much for every thread that had one: a daemon of many
//! threads then grows for days, by tens of megabytes a thread.
#![allow(unsafe_code)]

use libc::{M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, c_int, mallopt};

/// Pieces of this size and more are asked of the system, and given back to it; smaller ones come so often that this would cost time.
const LARGE: c_int = 8 << 20;

/// Of freed smaller ones, so much at most is kept at a thread's disposal.
const KEPT: c_int = 16 << 20;

/// For the whole process. Where the C library knows no such switch, nothing changes.
pub fn give_back_what_is_large() {
    // SAFETY: two numbers of the allocator are set, under its own lock
    unsafe {
        mallopt(M_MMAP_THRESHOLD, LARGE);
        mallopt(M_TRIM_THRESHOLD, KEPT);
    }
}
