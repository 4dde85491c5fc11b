//! Which alerts are due, from facts alone.

use super::at;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use kellgrend::config::AlertSettings;
use kellgrend::mail::alert::{Alert, Disk, Kind, Training};
use kellgrend::mail::due::{Due, Facts, Last, due, standing};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NOW: &str = "2026-11-25T12:00:00Z";

fn kinds(limits: &AlertSettings, facts: &Facts) -> Vec<Kind> {
    standing(limits, facts, at(NOW)).iter().map(Alert::kind).collect()
}

#[test]
fn each_limit_is_kept_to_the_letter() {
    let limits = AlertSettings { idle: Duration::from_secs(4 * 86_400), ..AlertSettings::default() };
    let ago = |minutes: i64| Some(at(NOW) - minutes.minutes());
    let disk = |free| vec![Disk { folder: "state".into(), free, keep_free: 0 }];
    let kept = |keep_free| vec![Disk { folder: "state".into(), free: (1 << 40) - 1, keep_free }];
    let facts = Facts::default();
    assert!(kinds(&limits, &facts).is_empty());
    let cases = [
        (
            Kind::Disk,
            Facts { disks: disk((5 << 30) - 1), ..facts.clone() },
            Facts { disks: disk(5 << 30), ..facts.clone() },
        ),
        (
            Kind::Disk,
            Facts { disks: kept(1 << 40), ..facts.clone() },
            Facts { disks: kept((1 << 40) - 1), ..facts.clone() },
        ),
        (
            Kind::Results,
            Facts { results_wait_since: ago(15), ..facts.clone() },
            Facts { results_wait_since: ago(14), ..facts.clone() },
        ),
        (
            Kind::Inbox,
            Facts { inbox_unread_since: ago(15), ..facts.clone() },
            Facts { inbox_unread_since: ago(14), ..facts.clone() },
        ),
        (
            Kind::Networks,
            Facts { networks_fail_since: ago(2), ..facts.clone() },
            Facts { networks_fail_since: ago(1), ..facts.clone() },
        ),
        (
            Kind::Gpu,
            Facts { gpu_before: Some("GPU 0 of a clinic".into()), ..facts.clone() },
            Facts { gpu_before: None, ..facts.clone() },
        ),
        (Kind::Quarantine, Facts { quarantined: 51, ..facts.clone() }, Facts { quarantined: 50, ..facts.clone() }),
        (Kind::Labels, Facts { refused_lists: 1, ..facts.clone() }, Facts { refused_lists: 0, ..facts.clone() }),
        (
            Kind::Idle,
            Facts { last_graded: ago(4 * 1440), ..facts.clone() },
            Facts { last_graded: ago(4 * 1440 - 1), ..facts.clone() },
        ),
    ];
    for (kind, over, within) in cases {
        assert_eq!(kinds(&limits, &over), [kind]);
        assert!(kinds(&limits, &within).is_empty(), "{kind:?}");
    }
    let silent = AlertSettings { labels: false, ..limits };
    assert!(kinds(&silent, &Facts { refused_lists: 9, ..facts.clone() }).is_empty(), "nobody wants to hear of lists");
    let never = AlertSettings::default();
    assert!(kinds(&never, &Facts { last_graded: ago(99_999), ..facts }).is_empty(), "idle is off unless it is set");
}

#[test]
fn every_training_is_told_as_soon_as_it_is_known_unless_nobody_wants_to_hear_of_it() {
    let training = Training { key: "training:r1".into(), run: None, outcome: "failed".into(), reasons: String::new() };
    let facts = Facts { trainings: vec![training.clone()], ..Facts::default() };
    let told = |limits: &AlertSettings| due(limits, &facts, &BTreeMap::new(), &BTreeSet::new(), at(NOW));
    assert_eq!(told(&AlertSettings::default()), [Due::Tell { alert: Alert::Training(training), missed: 0 }]);
    assert!(told(&AlertSettings { training: false, ..AlertSettings::default() }).is_empty());
}

proptest! {
    /// However the free space goes up and down, and however long mails wait: between two alerts lies at least the pause, one
    /// waits at most, and each time that it began is told, or counted into the next.
    #[test]
    fn alerts_keep_their_distance_and_forget_nothing(
        looks in prop::collection::vec((any::<bool>(), 1_i64..120, any::<bool>()), 1..80)
    ) {
        let limits = AlertSettings::default();
        let (mut now, mut last, mut before) = (at(NOW), BTreeMap::<Kind, Last>::new(), BTreeSet::new());
        let (mut begun, mut told, mut was_low) = (0, 0, false);
        let mut written: Vec<Timestamp> = Vec::new();
        for (is_low, minutes, is_sent) in looks {
            now += minutes.minutes();
            if let Some(last) = last.get_mut(&Kind::Disk).filter(|_| is_sent) {
                last.is_waiting = false;
            }
            let disks = vec![Disk { folder: "state".into(), free: if is_low { 0 } else { 1 << 40 }, keep_free: 0 }];
            let facts = Facts { disks, ..Facts::default() };
            begun += u32::from(is_low && !was_low);
            for due in due(&limits, &facts, &last, &before, now) {
                match due {
                    Due::Count(kind) => last.get_mut(&kind).expect("counted into a mail").repeats += 1,
                    Due::Tell { alert, missed } => {
                        prop_assert!(last.get(&alert.kind()).is_none_or(|last| !last.is_waiting));
                        // a reminder of what still lasts tells of no new beginning
                        told += missed + u32::from(!before.contains(&alert.kind()));
                        written.push(now);
                        last.insert(alert.kind(), Last { at: now, is_waiting: true, repeats: 0 });
                    }
                }
            }
            before = standing(&limits, &facts, now).iter().map(Alert::kind).collect();
            was_low = is_low;
        }
        let counted = last.get(&Kind::Disk).map_or(0, |last| last.repeats);
        prop_assert_eq!(told + counted, begun);
        for pair in written.windows(2) {
            prop_assert!(pair[1].duration_since(pair[0]) >= SignedDuration::from_hours(6));
        }
    }
}
