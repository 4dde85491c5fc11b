//! Whether the last start was aborted: by libtorch, by a defect of ours, or by systemd's watchdog. A process that is killed or loses
//! its power leaves no such mark, and so no film is suspected for it.

use super::State;
use signal_hook::consts::SIGABRT;
use signal_hook::low_level::{emulate_default_handler, pipe};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;

impl State {
    /// Leaves a mark if this process is aborted, and says whether an earlier one has left one. The mark is taken away.
    pub fn mark_aborts(&self) -> io::Result<bool> {
        let path = self.root.join("aborted");
        let is_marked = path.metadata().is_ok_and(|meta| meta.len() > 0);
        // one byte is written as the signal comes
        pipe::register(SIGABRT, File::create(&path)?)?;
        // Who aborts himself dies of it whatever is registered; who was told to from outside would not, but for this.
        let (mut told, signal) = UnixStream::pair()?;
        pipe::register(SIGABRT, signal)?;
        std::thread::Builder::new().name("abort".into()).spawn(move || {
            if told.read_exact(&mut [0]).is_ok() {
                let _dead = emulate_default_handler(SIGABRT);
            }
        })?;
        Ok(is_marked)
    }
}
