//! How things are at one moment.

use super::Process;
use crate::gpu::DeviceMemory;
use crate::ledger::TrainingNow;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a running daemon tells of itself; counts are since its start. Nothing in it says anything of a patient or of a file.
///
/// `status.json` holds it; the names of the fields are a public contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The moment.
    pub at: Timestamp,
    /// The daemon's process id.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// The page's address, where there is one.
    pub page: Option<String>,
    /// The release that grades.
    pub release: String,
    /// Its members that could not be loaded.
    #[serde(default)]
    pub members_missing: usize,
    /// The device, and the numbers it computes in.
    pub device: String,
    /// What is not well, in sentences; empty: all is.
    pub ills: Vec<String>,
    /// Whether the ledger could last be written.
    pub is_ledger_writable: bool,
    /// Whether the last scan could read the inbox.
    pub is_inbox_reachable: bool,
    /// Files that the last scan saw in the inbox and that were not taken since.
    pub inbox: usize,
    /// Radiographs in work.
    pub in_work: usize,
    /// Of these, those that wait for the device.
    pub device_waiting: usize,
    /// Files that came to an end, by outcome.
    pub files: BTreeMap<String, u64>,
    /// Knees graded, by grade from 0.
    pub knees: Vec<u64>,
    /// When a file last came to an end.
    pub last_progress: Option<Timestamp>,
    /// Mails that no server has taken yet.
    #[serde(default)]
    pub mails_waiting: u64,
    /// Free space where the folders are.
    pub disks: Vec<Disk>,
    /// A GPU's memory.
    pub device_memory: Option<DeviceMemory>,
    /// The last run of training, where there was one.
    pub training: Option<TrainingNow>,
    /// What the process uses.
    pub process: Process,
}

/// The file system that a folder is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The name the folder goes by.
    pub folder: String,
    /// Bytes that may still be written to it.
    pub free_bytes: u64,
}

impl Snapshot {
    /// Whether all is well.
    pub fn is_well(&self) -> bool {
        self.ills.is_empty()
    }

    /// Files of this outcome.
    pub fn ended(&self, outcome: &str) -> u64 {
        self.files.get(outcome).copied().unwrap_or_default()
    }
}
