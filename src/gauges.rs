//! What the program counts of its own work: files, knees, queues, how long each step takes, what is under way.
//!
//! One value, handed to whoever works. The names are Prometheus's; docs/metrics.md says what each means, and a test compares the two.
//! No label says anything of a patient or of a file.

mod step;

pub use step::{Step, Stuck, Under, for_bytes, for_knees};

use crate::grade::KlGrade;
use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use step::{MEASURED, UnderWay};

/// Upper bounds of steps, in seconds.
const STEPS: [f64; 15] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// Upper bounds of waits, in seconds: an archive that is graded overnight waits for hours.
const WAITS: [f64; 12] = [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0];

/// Upper bounds of batches, in knees.
const BATCHES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its result is published.
    Graded,
    /// The same bytes had come before.
    Duplicate,
    /// It cannot be graded, for the reason of this code.
    Quarantined(&'static str),
    /// It was taken away.
    Withdrawn,
}

impl End {
    const WORDS: [&'static str; 4] = ["graded", "duplicate", "quarantined", "withdrawn"];

    fn as_str(self) -> &'static str {
        Self::WORDS[match self {
            Self::Graded => 0,
            Self::Duplicate => 1,
            Self::Quarantined(_) => 2,
            Self::Withdrawn => 3,
        }]
    }
}

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
    in_work: IntGauge,
    device_waiting: IntGauge,
    last_progress: Gauge,
    under_way: UnderWay,
    /// When a file ended, or came into work when none was there.
    progressed: Mutex<Instant>,
}

impl Default for Gauges {
    fn default() -> Self {
        let registry = Registry::new();
        let counters = |name, help, label| register(&registry, IntCounterVec::new(Opts::new(name, help), &[label]));
        let gauge = |name, help| register(&registry, IntGauge::new(name, help));
        let histogram = |name, help, bounds: &[f64]| {
            register(&registry, Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
        };
        let steps = HistogramOpts::new("kellgrend_step_seconds", "How long a step took").buckets(STEPS.to_vec());
        let gauges = Self {
            files: counters("kellgrend_files_total", "Files that came to an end", "outcome"),
            quarantined: counters("kellgrend_quarantined_total", "Files put into quarantine", "code"),
            retries: counters("kellgrend_retries_total", "Radiographs to be tried again, not by their fault", "cause"),
            knees: counters("kellgrend_knees_total", "Knees graded", "grade"),
            steps: register(&registry, HistogramVec::new(steps, &["step"])),
            settle: histogram("kellgrend_settle_seconds", "From a file's first sight to its claim", &WAITS),
            result: histogram("kellgrend_result_seconds", "From a file's first sight to its result", &WAITS),
            batches: histogram("kellgrend_batch_knees", "Knees that went through the networks together", &BATCHES),
            inbox_waiting: gauge("kellgrend_inbox_files", "Files in the inbox that are not taken yet"),
            inbox_reachable: gauge("kellgrend_inbox_reachable", "Whether the inbox can be read"),
            in_work: gauge("kellgrend_in_work_files", "Radiographs in work"),
            device_waiting: gauge("kellgrend_device_waiting_radiographs", "Radiographs that wait for the device"),
            last_progress: register(
                &registry,
                Gauge::new("kellgrend_last_progress_timestamp_seconds", "When a file last came to an end, Unix time"),
            ),
            registry,
            under_way: UnderWay::default(),
            progressed: Mutex::new(Instant::now()),
        };
        // a series that begins at its first event hides that event
        End::WORDS.iter().for_each(|end| drop(gauges.files.with_label_values(&[end])));
        KlGrade::ALL.iter().for_each(|grade| drop(gauges.knees.with_label_values(&[&grade.to_string()])));
        MEASURED.iter().for_each(|step| drop(gauges.steps.with_label_values(&[step.as_str()])));
        gauges.inbox_reachable.set(1);
        gauges
    }
}

/// Makes a metric known. Names and labels are ours, so that none is refused.
pub fn register<M: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<M>) -> M {
    let metric = metric.expect("a valid name");
    registry.register(Box::new(metric.clone())).expect("a name of its own");
    metric
}

impl Gauges {
    /// Where all metrics are known; others add theirs.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A step begins. Where nothing is heard of it for two minutes, it hangs.
    pub fn begin(self: &Arc<Self>, step: Step) -> Under {
        self.begin_long(step, Duration::ZERO)
    }

    /// A step begins that may take so much longer.
    pub fn begin_long(self: &Arc<Self>, step: Step, more: Duration) -> Under {
        Under::new(self.clone(), step, more, Instant::now())
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
        self.last_progress.set(jiff::Timestamp::now().as_millisecond() as f64 / 1000.0);
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

    /// So many knees go through the networks together.
    pub fn batch(&self, knees: usize) {
        self.batches.observe(knees as f64);
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

    /// For how long no file has ended while some are in work.
    pub fn stands_still(&self, now: Instant) -> Option<Duration> {
        let since = *self.progressed.lock().unwrap_or_else(PoisonError::into_inner);
        (self.in_work.get() > 0).then(|| now.saturating_duration_since(since))
    }

    /// Radiographs in work.
    pub fn in_work(&self) -> usize {
        self.in_work.get().try_into().unwrap_or_default()
    }

    /// Radiographs that wait for the device.
    pub fn device_waiting(&self) -> usize {
        let waiting = self.under_way.count(Step::DeviceWait);
        self.device_waiting.set(waiting as i64);
        waiting
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
