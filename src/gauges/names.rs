//! Every count by its name.

use super::step::{MEASURED, UnderWay};
use super::{End, Gauges};
use crate::grade::KlGrade;
use crate::outage::Outage;
use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Upper bounds of steps, in seconds.
const STEPS: [f64; 15] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// Upper bounds of waits, in seconds: an archive that is graded overnight waits for hours.
const WAITS: [f64; 12] = [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0];

/// Upper bounds of batches, in knees.
const BATCHES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Default for Gauges {
    fn default() -> Self {
        Self::new(Self::PATIENCE)
    }
}

impl Gauges {
    /// Nothing has happened yet. A step that gives no sign of life for so long hangs.
    pub fn new(patience: Duration) -> Self {
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
            inbox_held: gauge("kellgrend_inbox_held", "Whether nothing is taken since a disk is nearly full"),
            inbox_troubled: gauge(
                "kellgrend_inbox_troubled_files",
                "Of the files in the inbox, those that are incomplete or cannot be taken",
            ),
            results: Outage::default(),
            in_work: gauge("kellgrend_in_work_files", "Radiographs in work"),
            last_progress: register(
                &registry,
                Gauge::new("kellgrend_last_progress_timestamp_seconds", "When a file last came to an end, Unix time"),
            ),
            registry,
            under_way: UnderWay::default(),
            patience,
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
