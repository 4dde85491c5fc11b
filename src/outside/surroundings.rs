//! A look around: what the daemon depends on and would otherwise notice only when it needs it.

use super::Disk;
use crate::ensemble::DeviceInUse;
use crate::gpu::DeviceMemory;
use crate::ledger::{Ledger, TrainingNow, mails_waiting};
use crate::state::{State, free_bytes};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Somebody looks so often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The folders whose disks may be different ones.
const FOLDERS: [&str; 6] = ["state", "inbox", "outbox", "labels", "archive", "quarantine"];

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Surroundings(Mutex<Option<Seen>>);

/// What was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// When all of it last was.
    pub at: Instant,
    /// Why the ledger cannot be written.
    pub ledger: Option<String>,
    pub device_memory: Option<DeviceMemory>,
    pub training: Option<TrainingNow>,
    pub mails_waiting: u64,
    pub disks: Vec<Disk>,
}

impl Seen {
    fn nothing() -> Self {
        Self {
            at: Instant::now(),
            ledger: None,
            device_memory: None,
            training: None,
            mails_waiting: 0,
            disks: Vec::new(),
        }
    }
}

impl Surroundings {
    pub(super) fn seen(&self) -> Seen {
        self.with(|seen| seen.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(seen.get_or_insert_with(Seen::nothing))
    }

    /// Looks every so often, until the other end of `ended` is gone.
    pub(super) fn keep_looking(
        &self,
        state: &State,
        ledger: &Ledger,
        device: &DeviceInUse,
        ended: &mpsc::Receiver<()>,
    ) {
        let mut devices = HashMap::new();
        loop {
            self.look(state, ledger, device);
            watch_mounts(state, &mut devices);
            if ended.recv_timeout(LOOK_EVERY) != Err(mpsc::RecvTimeoutError::Timeout) {
                break;
            }
        }
    }

    /// Looks once. Folders come last: a share that does not answer holds up nothing else.
    fn look(&self, state: &State, ledger: &Ledger, device: &DeviceInUse) {
        let unwritable = ledger.try_to_write().err().map(|error| error.to_string());
        self.with(|seen| seen.ledger = unwritable);
        let db = Ledger::read(&state.ledger).ok();
        let training = db.as_ref().and_then(|db| TrainingNow::read(db).ok().flatten());
        let mails_waiting = db.as_ref().and_then(|db| mails_waiting(db).ok()).unwrap_or_default();
        self.with(|seen| (seen.training, seen.mails_waiting) = (training, mails_waiting));
        let memory = device.memory();
        self.with(|seen| seen.device_memory = memory);
        let folders = state.folders().into_iter().filter(|(name, _)| FOLDERS.contains(name));
        let disk = |(name, path): (&str, _)| Some(Disk { folder: name.to_owned(), free_bytes: free_bytes(path)? });
        let disks = folders.filter_map(disk).collect();
        self.with(|seen| {
            seen.disks = disks;
            seen.at = Instant::now();
        });
    }
}

/// Says which folders lie on another file system than before, by the `devices` that they were on; of the inbox its watcher says so.
fn watch_mounts(state: &State, devices: &mut HashMap<&'static str, u64>) {
    for (name, path) in state.folders().into_iter().filter(|(name, _)| FOLDERS.contains(name) && *name != "inbox") {
        let Ok(device) = path.metadata().map(|meta| meta.dev()) else { continue };
        if devices.insert(name, device).is_some_and(|before| before != device) {
            tracing::warn!(
                "the {name} folder lies on another file system than before, as where a share was unmounted or mounted: what is \
                 written goes to where it is now"
            );
        }
    }
}
