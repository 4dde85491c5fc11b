//! Who goes first on the device: radiographs that wait for a grade, and training only where none does.

use super::State;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Who waits looks so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A lock between processes, which the system releases when one ends, however it ends.
#[derive(Clone, Debug)]
pub struct Priority {
    path: PathBuf,
    /// Held while anything is graded: the lock, and for how many.
    held: Arc<Mutex<(Option<File>, usize)>>,
}

/// While it is there, training waits.
#[derive(Debug)]
pub struct GradingGuard {
    priority: Priority,
}

impl State {
    /// The installation's.
    pub fn priority(&self) -> Priority {
        Priority { path: self.root.join("grading.lock"), held: Arc::default() }
    }
}

impl Priority {
    /// Something is to be graded. A training process looks between two steps, holds the lock for that moment only, and waits while it
    /// is held here; where there can be no lock, both go on.
    pub fn grading(&self) -> GradingGuard {
        let mut held = self.held.lock().expect("no holder panics");
        if held.1 == 0 {
            held.0 = self.file().filter(|file| file.lock().is_ok());
        }
        held.1 += 1;
        GradingGuard { priority: self.clone() }
    }

    /// Waits until nothing is graded, or somebody asks to stop; `give_way` comes first where it waits at all.
    pub fn wait_for_grading(&self, is_stopped: impl Fn() -> bool, give_way: impl FnOnce()) {
        let Some(file) = self.file() else { return };
        let is_held = || matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        // the lock goes with the file
        if is_held() {
            give_way();
        }
        while is_held() && !is_stopped() {
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn file(&self) -> Option<File> {
        File::options().write(true).create(true).truncate(false).open(&self.path).ok()
    }
}

impl Drop for GradingGuard {
    fn drop(&mut self) {
        let mut held = self.priority.held.lock().expect("no holder panics");
        held.1 -= 1;
        if held.1 == 0 {
            held.0 = None;
        }
    }
}
