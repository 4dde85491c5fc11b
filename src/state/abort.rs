//! Whether the last start went down by itself: aborted by libtorch, by a defect of ours or by systemd's watchdog, or for memory or an
//! instruction that is not there. A process that is killed or loses its power leaves no such mark, and so no film is suspected for it.

// The handler of such a signal is called by the kernel, and may do next to nothing.
#![allow(unsafe_code)]

use super::State;
use std::fs::File;
use std::io;
use std::os::fd::IntoRawFd as _;
use std::path::PathBuf;
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
    /// Leaves a mark if this process goes down by itself, and says whether an earlier one has left one, which stays until it has been
    /// seen to.
    pub fn mark_aborts(&self) -> io::Result<bool> {
        let file = File::options().write(true).create(true).truncate(false).open(self.abort_mark())?;
        let is_marked = file.metadata()?.len() > 0;
        // open until the end
        MARK.store(file.into_raw_fd(), Ordering::Relaxed);
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

    /// The mark that an earlier process has left is taken away.
    pub fn clear_abort(&self) -> io::Result<()> {
        File::create(self.abort_mark())?.sync_all()
    }

    /// And is there again, since it was not seen to.
    pub fn mark_abort(&self) {
        if let Err(error) = std::fs::write(self.abort_mark(), b"x") {
            tracing::warn!("an abort is forgotten: {error}");
        }
    }

    fn abort_mark(&self) -> PathBuf {
        self.root.join("aborted")
    }

    /// From now on this process leaves no mark, however it ends.
    pub fn mark_no_aborts() {
        MARK.store(NOWHERE, Ordering::Relaxed);
    }
}
