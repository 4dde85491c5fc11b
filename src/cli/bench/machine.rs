//! Whose figures they are, and how much memory they took.

use crate::ensemble::DeviceInUse;
use crate::ensemble::device::cpu_model;
use crate::gpu::{DeviceMemory, LIBTORCH};
use serde::Serialize;

/// The machine and the program that was measured on it.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) host: String,
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) device: String,
    pub(super) kellgrend: &'static str,
    pub(super) libtorch: &'static str,
}

impl Machine {
    pub(super) fn this(device: &DeviceInUse) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            host: if host.trim().is_empty() { "unknown".to_owned() } else { host.trim().to_owned() },
            cpu: cpu_model(),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            device: device.description.clone(),
            kellgrend: crate::VERSION,
            libtorch: LIBTORCH,
        }
    }
}

/// The memory that the run took.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    /// The most that was in the computer's memory at a time; none where the kernel does not tell.
    pub(super) peak_resident_bytes: Option<u64>,
    /// None without a GPU.
    pub(super) device: Option<OnDevice>,
}

/// What is gone at the end is what libtorch holds then: it keeps most of what it ever took.
#[derive(Debug, Serialize)]
pub(super) struct OnDevice {
    pub(super) total_bytes: u64,
    pub(super) free_before_bytes: u64,
    pub(super) free_after_bytes: u64,
    pub(super) taken_bytes: u64,
}

impl Memory {
    /// What was taken since the device's memory was `before`.
    pub(super) fn since(before: Option<DeviceMemory>, device: &DeviceInUse) -> Self {
        let on_device = before.zip(device.memory()).map(|(before, after)| OnDevice {
            total_bytes: after.total,
            free_before_bytes: before.free,
            free_after_bytes: after.free,
            taken_bytes: before.free.saturating_sub(after.free),
        });
        Self { peak_resident_bytes: peak_resident(), device: on_device }
    }
}

/// `VmHWM` of `/proc/self/status`, which counts in KiB.
fn peak_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
