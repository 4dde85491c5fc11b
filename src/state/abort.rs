//! Whether the last start went down by itself: aborted by libtorch, by a defect of ours or by systemd's watchdog, or for memory or an
//! instruction that is not there. A process that is killed or loses its power leaves no such mark, and so no film is suspected for it.

// The handler of such a signal is called by the kernel, and may do next to nothing.
#![allow(unsafe_code)]

use super::State;
use std::fs::File;
use std::io;
use std::os::fd::IntoRawFd as _;
use std::sync::atomic::{AtomicI32, Ordering};

/// What takes a process down from within. An abort may come from outside, too.
const SIGNALS: [libc::c_int; 5] = [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// Where the mark goes: one byte.
static MARK: AtomicI32 = AtomicI32::new(NOWHERE);
const NOWHERE: i32 = -1;

extern "C" fn marked(signal: libc::c_int) {
    // SAFETY: both calls may be made by handlers of signals (signal-safety(7)); the byte is static
    unsafe {
        libc::write(MARK.load(Ordering::Relaxed), b"x".as_ptr().cast(), 1);
        // it is handled once (SA_RESETHAND): now the process dies of it
        libc::raise(signal);
    }
}

impl State {
    /// Leaves a mark if this process goes down by itself, and says whether an earlier one has left one. That mark is taken away.
    pub fn mark_aborts(&self) -> io::Result<bool> {
        let path = self.root.join("aborted");
        let is_marked = path.metadata().is_ok_and(|meta| meta.len() > 0);
        // open until the end
        MARK.store(File::create(&path)?.into_raw_fd(), Ordering::Relaxed);
        for signal in SIGNALS {
            // SAFETY: the handler does only what handlers may; all zeroes is an action of no flags and an empty mask
            let outcome = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = marked as extern "C" fn(libc::c_int) as libc::sighandler_t;
                // on a stack of its own, since a full one is a reason, too
                action.sa_flags = libc::SA_RESETHAND | libc::SA_NODEFER | libc::SA_ONSTACK;
                libc::sigaction(signal, &action, std::ptr::null_mut())
            };
            if outcome != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(is_marked)
    }

    /// From now on this process leaves no mark, however it ends.
    pub fn mark_no_aborts() {
        MARK.store(NOWHERE, Ordering::Relaxed);
    }
}
