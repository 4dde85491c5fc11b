//! How long something takes, and how often it can be done.

use crate::ensemble::DeviceInUse;
use serde::Serialize;
use std::time::{Duration, Instant};
use tch::Device;

/// Steps that a GPU is given before it is waited for: without a queue it would stand still between them.
const STEPS_AHEAD: u32 = 4;

/// Steps that do not count. A GPU's first ones choose kernels and load them.
const WARM_UPS_ON_GPU: u32 = 3;
const WARM_UPS_ON_CPU: u32 = 1;

/// How few repeats a median may stand on, and how many are enough for any.
const REPEATS: std::ops::Range<usize> = 3..1000;

/// Measures for about as long as it was told.
pub(super) struct Clock<'a> {
    limit: Duration,
    /// Waited for before the time is read; none where the work is done by the caller's own thread.
    device: Option<&'a DeviceInUse>,
    warm_ups: u32,
}

/// How long something took, over its repeats.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Spread {
    pub(super) median_ms: f64,
    pub(super) p95_ms: f64,
}

impl<'a> Clock<'a> {
    pub(super) fn new(limit: Duration, device: Option<&'a DeviceInUse>) -> Self {
        let on_gpu = device.is_some_and(|device| device.device.is_cuda());
        Self { limit, device, warm_ups: if on_gpu { WARM_UPS_ON_GPU } else { WARM_UPS_ON_CPU } }
    }

    /// The same for networks that have run: a GPU still chooses kernels for each new batch, a CPU need not lose the time.
    pub(super) fn going_on(&self) -> Self {
        Self { warm_ups: self.warm_ups - WARM_UPS_ON_CPU, ..*self }
    }

    /// Steps a second.
    pub(super) fn rate<E>(&self, mut step: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
        for _ in 0..self.warm_ups {
            step()?;
        }
        self.wait();
        let began = Instant::now();
        let mut steps = 0;
        while steps == 0 || began.elapsed() < self.limit {
            step()?;
            steps += 1;
            if steps % STEPS_AHEAD == 0 {
                self.wait();
            }
        }
        self.wait();
        Ok(f64::from(steps) / began.elapsed().as_secs_f64())
    }

    /// What each of several repeats says.
    pub(super) fn repeat<T, E>(&self, mut step: impl FnMut() -> Result<T, E>) -> Result<Vec<T>, E> {
        for _ in 0..self.warm_ups {
            step()?;
        }
        let began = Instant::now();
        let mut said = Vec::new();
        while said.len() < REPEATS.start || (began.elapsed() < self.limit && said.len() < REPEATS.end) {
            said.push(step()?);
        }
        Ok(said)
    }

    /// Where the work is done.
    pub(super) fn device(&self) -> Device {
        self.device.map_or(Device::Cpu, |device| device.device)
    }

    fn wait(&self) {
        if let Some(device) = self.device {
            device.synchronize();
        }
    }
}

impl Spread {
    /// Median and 95th percentile, each a time that was really measured.
    pub(super) fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut ms: Vec<f64> = times.map(|time| 1000.0 * time.as_secs_f64()).collect();
        ms.sort_by(f64::total_cmp);
        let rank = |share: f64| (share * ms.len() as f64).ceil() as usize;
        let at = |share| ms.get(rank(share).saturating_sub(1)).copied().unwrap_or_default();
        Self { median_ms: at(0.5), p95_ms: at(0.95) }
    }
}
