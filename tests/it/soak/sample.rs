//! What the daemon uses at a moment, seen from outside it.

use crate::sandbox::{Sandbox, files_below};
use rusqlite::Connection;
use serde::Serialize;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Files that have come to their end.
pub const ENDED: &str = "SELECT count(*) FROM files WHERE state IN ('published', 'quarantined', 'duplicate')";

/// One look; memory in KiB, as /proc counts it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// How far the soak was, from 0 to 1.
    pub share: f64,
    pub seconds: f64,
    /// The daemon's memory, and what of it is no mapped file.
    pub resident: u64,
    pub anonymous: u64,
    pub descriptors: usize,
    pub threads: u64,
    pub decoders: usize,
    pub decoders_resident: u64,
    /// Bytes.
    pub wal: u64,
    /// Files that were sent.
    pub sent: usize,
    /// Those of them in inbox and work.
    pub waiting: usize,
    /// And those that are published, quarantined or seen to be duplicates.
    pub ended: i64,
}

impl Sample {
    /// What one has, in KiB; how many there are depends on what was decoded at a time.
    pub fn of_a_decoder(&self) -> f64 {
        self.decoders_resident as f64 / self.decoders.max(1) as f64
    }
}

/// Who looks.
pub struct Sampler {
    pid: u32,
    inbox: PathBuf,
    work: PathBuf,
    wal: PathBuf,
    ledger: Connection,
}

impl Sampler {
    pub fn new(pid: u32, sandbox: &Sandbox, inbox: &Path) -> Self {
        let (work, wal) = (sandbox.state().join("work"), sandbox.state().join("ledger.db-wal"));
        Self { pid, inbox: inbox.to_owned(), work, wal, ledger: sandbox.ledger() }
    }

    /// Fails where the daemon is gone.
    pub fn look(&self, share: f64, seconds: f64, sent: usize) -> Sample {
        let daemon = status(self.pid).expect("the daemon lives");
        let decoders: Vec<_> = decoders_of(self.pid).into_iter().filter_map(status).collect();
        Sample {
            share: (share * 1e4).round() / 1e4,
            seconds: (seconds * 10.0).round() / 10.0,
            resident: daemon.resident,
            anonymous: daemon.anonymous,
            descriptors: fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("the daemon lives").count(),
            threads: daemon.threads,
            decoders: decoders.len(),
            decoders_resident: decoders.iter().map(|decoder| decoder.resident).sum(),
            wal: fs::metadata(&self.wal).map_or(0, |meta| meta.len()),
            sent,
            waiting: files_below(&self.inbox).len() + files_below(&self.work).len(),
            ended: self.ledger.query_row(ENDED, [], |row| row.get(0)).expect("a number"),
        }
    }

    pub fn is_anything_in_work(&self) -> bool {
        !files_below(&self.work).is_empty()
    }
}

/// The middle one of a value in a part of the soak.
pub fn median(samples: &[Sample], part: Range<f64>, value: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().filter(|sample| part.contains(&sample.share)).map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Status {
    resident: u64,
    anonymous: u64,
    threads: u64,
}

fn status(pid: u32) -> Option<Status> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Status { resident: number("VmRSS")?, anonymous: number("RssAnon")?, threads: number("Threads")? })
}

/// A child that is not yet another program is left out: what it shows is the daemon's memory.
fn decoders_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_decoder = |pid: &u32| {
        let told = |what| fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
        told("status").contains(&format!("\nPPid:\t{parent}\n")) && told("cmdline").contains("\0decode\0")
    };
    pids.filter(is_decoder).collect()
}
