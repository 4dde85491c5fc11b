//! Which alerts are due: a pure answer to what is known; the clock is the caller's.

use super::alert::{Alert, Disk, Kind, Training};
use crate::config::AlertSettings;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Where folders are, one a disk.
    pub disks: Vec<Disk>,
    /// Since when the inbox cannot be read.
    pub inbox_unread_since: Option<Timestamp>,
    /// The GPU that graded before, where the CPU does now.
    pub gpu_before: Option<String>,
    /// Since when no radiograph gets through the networks.
    pub networks_fail_since: Option<Timestamp>,
    /// Since when radiographs cannot come to their end.
    pub results_wait_since: Option<Timestamp>,
    /// Files quarantined within the last hour.
    pub quarantined: usize,
    /// The commonest reason's word.
    pub mostly: Option<String>,
    /// When a knee was last graded or, if that is later, mails began to be sent; in its first hour, the program was started.
    pub last_graded: Option<Timestamp>,
    /// Radiographs in work.
    pub in_work: usize,
    /// Lists of labels that were refused since that was last told.
    pub refused_lists: usize,
    /// Trainings that have ended and were not told of.
    pub trainings: Vec<Training>,
}

/// The last alert of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// When it was written.
    pub at: Timestamp,
    /// Whether it waits to be sent.
    pub is_waiting: bool,
    /// How often the same has begun again since.
    pub repeats: u32,
}

/// What to do about something that is the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Tell of it.
    Tell {
        /// What is to be told.
        alert: Alert,
        /// How often the same has begun again since it was last told.
        missed: u32,
    },
    /// It has begun again, too early to be told: it counts into the next alert.
    Count(Kind),
}

/// All that is the matter now, of what lasts.
pub fn standing(limits: &AlertSettings, facts: &Facts, now: Timestamp) -> Vec<Alert> {
    let lasts = |since: &Timestamp, limit: Duration| is_over(*since, limit, now);
    let is_low = |disk: &&Disk| disk.free < limits.disk.as_u64().max(disk.keep_free);
    let low: Vec<_> = facts.disks.iter().filter(is_low).cloned().collect();
    let disk = (!low.is_empty()).then_some(Alert::Disk(low));
    let inbox = facts.inbox_unread_since.filter(|since| lasts(since, limits.inbox));
    let networks = facts.networks_fail_since.filter(|since| lasts(since, limits.networks));
    let results = facts.results_wait_since.filter(|since| lasts(since, limits.results));
    let burst = facts.quarantined > limits.quarantined;
    let quarantine = Alert::Quarantine { files: facts.quarantined, mostly: facts.mostly.clone() };
    let labels = (facts.refused_lists > 0 && limits.labels).then_some(Alert::Labels { lists: facts.refused_lists });
    let idle = facts.last_graded.filter(|since| !limits.idle.is_zero() && lasts(since, limits.idle));
    disk.into_iter()
        .chain(inbox.map(|since| Alert::Inbox { since }))
        .chain(facts.gpu_before.iter().map(|before| Alert::Gpu { before: before.clone() }))
        .chain(networks.map(|since| Alert::Networks { since }))
        .chain(results.map(|since| Alert::Results { since }))
        .chain(burst.then_some(quarantine))
        .chain(idle.map(|since| Alert::Idle { since, in_work: facts.in_work }))
        .chain(labels)
        .collect()
}

/// What to do now. `before` is what was the matter when it was last asked: what is not in it has begun since.
///
/// Of a kind one alert waits at most, and the next comes no sooner than the limit says. Each training is told once.
pub fn due(
    limits: &AlertSettings,
    facts: &Facts,
    last: &BTreeMap<Kind, Last>,
    before: &BTreeSet<Kind>,
    now: Timestamp,
) -> Vec<Due> {
    let lasting = standing(limits, facts, now).into_iter().filter_map(|alert| {
        let kind = alert.kind();
        match last.get(&kind) {
            Some(last) if last.is_waiting || !is_over(last.at, limits.again_after, now) => {
                // lists are counted by lying there
                (kind != Kind::Labels && !before.contains(&kind)).then_some(Due::Count(kind))
            }
            last => Some(Due::Tell { alert, missed: last.map_or(0, |last| last.repeats) }),
        }
    });
    let trainings = facts.trainings.iter().filter(|_| limits.training).cloned();
    lasting.chain(trainings.map(|training| Due::Tell { alert: Alert::Training(training), missed: 0 })).collect()
}

/// Whether something has lasted so long; nothing has where the clock was put back.
fn is_over(since: Timestamp, limit: Duration, now: Timestamp) -> bool {
    since.checked_add(limit).is_ok_and(|over| over <= now)
}
