//! Whether the last start was aborted: by libtorch, by a defect of ours, or by systemd's watchdog. A process that is killed or loses
//! its power leaves no such mark, and so no film is suspected for it.

use super::State;
use signal_hook::consts::SIGABRT;
use signal_hook::low_level::pipe;
use std::fs::File;
use std::io;

impl State {
    /// Leaves a mark if this process is aborted, and says whether an earlier one has left one. The mark is taken away.
    pub fn mark_aborts(&self) -> io::Result<bool> {
        let path = self.root.join("aborted");
        let is_marked = path.metadata().is_ok_and(|meta| meta.len() > 0);
        let mark = File::create(&path)?;
        // one byte is written as the signal comes; then the process dies of it as ever
        pipe::register(SIGABRT, mark)?;
        Ok(is_marked)
    }
}
