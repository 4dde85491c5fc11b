//! `/metrics`: what the work counts, and what a snapshot tells.

use super::Snapshot;
use crate::gauges::{Gauges, register};
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

/// The metrics that are set from a snapshot whenever somebody asks.
pub(super) struct Measures {
    is_well: IntGauge,
    is_ledger_writable: IntGauge,
    device_waiting: IntGauge,
    build: IntGaugeVec,
    release: IntGaugeVec,
    members_missing: IntGauge,
    disk: IntGaugeVec,
    device_memory: IntGaugeVec,
    mails_waiting: IntGauge,
    training_running: IntGauge,
    training_epoch: IntGauge,
    training_fits: IntGaugeVec,
    training_last: IntGaugeVec,
    started: Gauge,
    resident: IntGauge,
    threads: IntGauge,
    open_files: IntGauge,
}

impl Measures {
    pub(super) fn new(registry: &Registry) -> Self {
        let gauge = |name, help| register(registry, IntGauge::new(name, help));
        let gauges = |name, help, labels: &[&str]| register(registry, IntGaugeVec::new(Opts::new(name, help), labels));
        Self {
            is_well: gauge("kellgrend_healthy", "Whether all is well, as /healthz says"),
            is_ledger_writable: gauge("kellgrend_ledger_writable", "Whether the ledger could last be written"),
            device_waiting: gauge("kellgrend_device_waiting_radiographs", "Radiographs that wait for the device"),
            build: gauges("kellgrend_build_info", "The program", &["version", "libtorch"]),
            release: gauges("kellgrend_release_info", "The release that grades, and where", &["release", "device"]),
            members_missing: gauge(
                "kellgrend_members_missing",
                "Members of the release that could not be loaded, and without which it grades",
            ),
            disk: gauges("kellgrend_disk_free_bytes", "Free space where a folder is", &["folder"]),
            device_memory: gauges("kellgrend_device_memory_bytes", "A GPU's memory, whoever uses it", &["kind"]),
            mails_waiting: gauge("kellgrend_mails_waiting", "Mails that no server has taken yet"),
            training_running: gauge("kellgrend_training_running", "Whether a run of training is not at its end"),
            training_epoch: gauge("kellgrend_training_epoch", "The last epoch of the last run that is over"),
            training_fits: gauges("kellgrend_training_fits", "Fits of the last run of training", &["state"]),
            training_last: gauges("kellgrend_training_last_info", "How the last training ended", &["outcome"]),
            started: register(
                registry,
                Gauge::new("process_start_time_seconds", "When the program was started, Unix time"),
            ),
            resident: gauge("process_resident_memory_bytes", "Memory in use"),
            threads: gauge("process_threads", "Threads"),
            open_files: gauge("process_open_fds", "Open descriptors"),
        }
    }

    /// All metrics, in Prometheus's text format.
    pub(super) fn text(&self, snapshot: &Snapshot, gauges: &Gauges) -> String {
        self.set(snapshot);
        // names and labels are ours, so that all can be written
        TextEncoder::new().encode_to_string(&gauges.registry().gather()).unwrap_or_default()
    }

    fn set(&self, snapshot: &Snapshot) {
        self.is_well.set(snapshot.is_well().into());
        self.is_ledger_writable.set(snapshot.is_ledger_writable.into());
        self.device_waiting.set(signed(snapshot.device_waiting as u64));
        set(&self.build, [([snapshot.version.as_str(), crate::gpu::LIBTORCH], 1)]);
        self.members_missing.set(snapshot.members_missing as i64);
        set(&self.release, [([snapshot.release.as_str(), snapshot.device.as_str()], 1)]);
        set(&self.disk, snapshot.disks.iter().map(|disk| ([disk.folder.as_str()], disk.free_bytes)));
        let memory = snapshot.device_memory.iter();
        set(&self.device_memory, memory.flat_map(|memory| [(["free"], memory.free), (["total"], memory.total)]));
        self.mails_waiting.set(signed(snapshot.mails_waiting));
        let training = snapshot.training.as_ref();
        self.training_running.set(training.is_some_and(|training| training.is_running).into());
        self.training_epoch.set(training.and_then(|training| training.epoch).unwrap_or_default());
        let fits = training.iter().flat_map(|run| [(["planned"], run.fits), (["fitted"], run.fitted)]);
        set(&self.training_fits, fits);
        let last = training.and_then(|training| training.last_outcome.as_deref());
        set(&self.training_last, last.map(|outcome| ([outcome], 1)));
        self.started.set(snapshot.started_at.as_millisecond() as f64 / 1000.0);
        let process = &snapshot.process;
        self.resident.set(signed(process.resident_bytes));
        self.threads.set(signed(process.threads));
        self.open_files.set(signed(process.open_files));
    }
}

/// These series and no others.
fn set<'a, const LABELS: usize>(gauges: &IntGaugeVec, to: impl IntoIterator<Item = ([&'a str; LABELS], u64)>) {
    gauges.reset();
    to.into_iter().for_each(|(labels, value)| gauges.with_label_values(&labels).set(signed(value)));
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
