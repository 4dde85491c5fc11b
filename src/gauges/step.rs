//! The steps of a radiograph's way, and those that are under way now.

use super::Gauges;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is worked on, or waited for, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The loop that hands radiographs on.
    Dispatch,
    /// The inbox is searched.
    Scan,
    /// A file is read, hashed and moved out of the inbox.
    Claim,
    /// Bytes become a picture and knees.
    Decode,
    /// Knees wait until the device takes them.
    DeviceWait,
    /// A batch goes through the networks.
    Networks,
    /// Answers are put on record, drawn and published.
    Publish,
}

/// The steps whose times are measured, in the order of a radiograph's way.
pub(super) const MEASURED: [Step; 6] =
    [Step::Scan, Step::Claim, Step::Decode, Step::DeviceWait, Step::Networks, Step::Publish];

impl Step {
    /// Its word in the label `step`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Scan => "scan",
            Self::Claim => "claim",
            Self::Decode => "decode",
            Self::DeviceWait => "device-wait",
            Self::Networks => "networks",
            Self::Publish => "publish",
        }
    }

    /// Whether it depends on a film's content: the others hang where a share or a disk does.
    pub fn is_of_a_film(self) -> bool {
        matches!(self, Self::Decode | Self::Networks)
    }

    /// Whether it may take for ever.
    fn only_waits(self) -> bool {
        self == Self::DeviceWait
    }
}

/// More patience for so many bytes: over a poor network they come at 1 MiB/s.
pub fn for_bytes(bytes: u64) -> Duration {
    Duration::from_secs(bytes >> 20)
}

/// Steps under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<(u64, BTreeMap<u64, Entry>)>);

#[derive(Debug)]
struct Entry {
    step: Step,
    moved: Instant,
    patience: Option<Duration>,
}

/// A step that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Which.
    pub step: Step,
    /// For how long nothing was heard of it.
    pub still: Duration,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the step \"{}\" has not moved for {} s", self.step.as_str(), self.still.as_secs())
    }
}

impl UnderWay {
    fn entries<T>(&self, act: impl FnOnce(&mut (u64, BTreeMap<u64, Entry>)) -> T) -> T {
        // plain values: whoever panicked in between left nothing half done
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn count(&self, step: Step) -> usize {
        self.entries(|(_, entries)| entries.values().filter(|entry| entry.step == step).count())
    }

    /// Of those that hang, the one that has for longest.
    pub(super) fn stuck(&self, now: Instant) -> Option<Stuck> {
        self.entries(|(_, entries)| {
            let still = |entry: &Entry| now.saturating_duration_since(entry.moved);
            let hang = entries.values().filter(|entry| entry.patience.is_some_and(|patience| still(entry) > patience));
            hang.map(|entry| Stuck { step: entry.step, still: still(entry) }).max_by_key(|stuck| stuck.still)
        })
    }
}

/// A step under way; it ends when dropped.
///
/// A thread that dies of a panic never ends its step, so that its death shows as a step that hangs.
pub struct Under {
    gauges: Arc<Gauges>,
    id: u64,
    step: Step,
    began: Instant,
}

impl Under {
    pub(super) fn new(gauges: Arc<Gauges>, step: Step, more: Duration, began: Instant) -> Self {
        let patience = (!step.only_waits()).then_some(gauges.patience + more);
        let id = gauges.under_way.entries(|(next, entries)| {
            *next += 1;
            entries.insert(*next, Entry { step, moved: began, patience });
            *next
        });
        Self { gauges, id, step, began }
    }

    /// A sign of life.
    pub fn moves(&self) {
        self.gauges.under_way.entries(|(_, entries)| {
            if let Some(entry) = entries.get_mut(&self.id) {
                entry.moved = Instant::now();
            }
        });
    }

    /// It is over; how long it took.
    pub fn end(self) -> Duration {
        self.began.elapsed()
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.gauges.under_way.entries(|(_, entries)| entries.remove(&self.id));
        self.gauges.took(self.step, self.began.elapsed());
    }
}
