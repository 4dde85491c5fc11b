//! What the program counts of its own work: files, knees, queues, how long each step takes, what is under way.
//!
//! One value, handed to whoever works. The names are Prometheus's; docs/metrics.md says what each means, and a test compares the two.
//! No label says anything of a patient or of a file.

mod end;
mod names;
mod step;

pub use end::End;
pub use names::register;
pub use step::{Step, Stuck, Under, for_bytes};

use crate::grade::KlGrade;
use crate::outage::Outage;
use jiff::Timestamp;
use prometheus::{Gauge, Histogram, HistogramVec, IntCounterVec, IntGauge, Registry};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use step::{MEASURED, UnderWay};

/// All that is counted.
pub struct Gauges {
    registry: Registry,
    files: IntCounterVec,
    quarantined: IntCounterVec,
    retries: IntCounterVec,
    knees: IntCounterVec,
    steps: HistogramVec,
    settle: Histogram,
    result: Histogram,
    batches: Histogram,
    /// Files that the last scan saw in the inbox and that were not taken since.
    pub inbox_waiting: IntGauge,
    /// Whether the last scan could read the inbox: 1 or 0.
    pub inbox_reachable: IntGauge,
    /// Whether nothing is taken from the inbox since a disk is nearly full: 1 or 0.
    pub inbox_held: IntGauge,
    /// Of the files in the inbox, those that are incomplete or cannot be taken.
    pub inbox_troubled: IntGauge,
    in_work: IntGauge,
    /// Radiographs that do not come to their end, for other reasons than the networks.
    pub results: Outage,
    last_progress: Gauge,
    under_way: UnderWay,
    /// A step that gives no sign of life for so long hangs; those that have much to do get more.
    patience: Duration,
    /// When a file ended, or came into work when none was there.
    progressed: Mutex<Instant>,
}

/// A GPU takes so many knees through eight networks in far less time than any step may take.
const KNEES_A_STEP: usize = 24;

impl Gauges {
    /// What a step's patience is unless settings say otherwise.
    pub const PATIENCE: Duration = Duration::from_secs(120);

    /// Where all metrics are known; others add theirs.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A step begins. Where nothing is heard of it for too long, it hangs.
    pub fn begin(self: &Arc<Self>, step: Step) -> Under {
        self.begin_long(step, Duration::ZERO)
    }

    /// A step begins that may take so much longer.
    pub fn begin_long(self: &Arc<Self>, step: Step, more: Duration) -> Under {
        Under::new(self.clone(), step, more, Instant::now())
    }

    /// A batch begins its way through the networks. On a slow CPU each knee takes as long as other steps.
    pub fn begin_batch(self: &Arc<Self>, knees: usize, is_on_gpu: bool) -> Under {
        self.batches.observe(knees as f64);
        let steps = if is_on_gpu { knees.div_ceil(KNEES_A_STEP) } else { knees };
        self.begin_long(Step::Networks, self.patience * u32::try_from(steps).unwrap_or(u32::MAX))
    }

    fn took(&self, step: Step, time: Duration) {
        if MEASURED.contains(&step) {
            self.steps.with_label_values(&[step.as_str()]).observe(time.as_secs_f64());
        }
    }

    /// The step that hangs, if one does.
    pub fn stuck(&self, now: Instant) -> Option<Stuck> {
        self.under_way.stuck(now)
    }

    /// A file has ended.
    pub fn ended(&self, end: End) {
        self.files.with_label_values(&[end.as_str()]).inc();
        if let End::Quarantined(code) = end {
            self.quarantined.with_label_values(&[code]).inc();
        }
        self.progresses(Instant::now());
        self.last_progress.set(Timestamp::now().as_millisecond() as f64 / 1000.0);
    }

    /// A knee was graded.
    pub fn graded(&self, grade: KlGrade) {
        self.knees.with_label_values(&[&grade.to_string()]).inc();
    }

    /// A radiograph is to be tried again.
    pub fn retried(&self, cause: &'static str) {
        self.retries.with_label_values(&[cause]).inc();
    }

    /// A file was claimed, so long after it was first seen.
    pub fn settled(&self, after: Duration) {
        self.settle.observe(after.as_secs_f64());
    }

    /// A result was published, so long after its file was first seen.
    pub fn answered(&self, after: Duration) {
        self.result.observe(after.as_secs_f64());
    }

    /// So many radiographs are in work.
    pub fn set_in_work(&self, radiographs: usize) {
        if self.in_work.get() == 0 && radiographs > 0 {
            self.progresses(Instant::now());
        }
        self.in_work.set(radiographs as i64);
    }

    fn progresses(&self, now: Instant) {
        *self.progressed.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// For how long no file has ended while some are in work, or one of them waits that cannot end.
    pub fn stands_still(&self, now: Instant) -> Option<Duration> {
        let since = *self.progressed.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = self.results.lasts().unwrap_or_default();
        (self.in_work.get() > 0).then(|| now.saturating_duration_since(since).max(waits))
    }

    /// Radiographs in work.
    pub fn in_work(&self) -> usize {
        self.in_work.get().try_into().unwrap_or_default()
    }

    /// Radiographs that wait for the device.
    pub fn device_waiting(&self) -> usize {
        self.under_way.count(Step::DeviceWait)
    }

    /// Files that ended, by outcome.
    pub fn files(&self) -> BTreeMap<String, u64> {
        End::WORDS.iter().map(|end| ((*end).to_owned(), self.files.with_label_values(&[end]).get())).collect()
    }

    /// Knees graded, by grade from 0.
    pub fn knees(&self) -> Vec<u64> {
        KlGrade::ALL.iter().map(|grade| self.knees.with_label_values(&[&grade.to_string()]).get()).collect()
    }

    /// When a file last ended.
    pub fn last_progress(&self) -> Option<jiff::Timestamp> {
        let seconds = self.last_progress.get();
        (seconds > 0.0).then(|| jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()).flatten()
    }
}
