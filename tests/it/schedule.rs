//! When a training is due: by which clock, how often, and what keeps it from beginning.

use crate::sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};
use kellgrend::ledger::Ledger;
use kellgrend::schedule::{Conditions, Decision, Facts, Pass, Schedule};
use proptest::prelude::*;
use std::time::Duration;

const FRIDAYS: &str = "0 22 * * 5";

fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(expression, zone).expect("a schedule")
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// All times between two, both ways.
fn slots(schedule: &Schedule, after: &str, until: &str) -> Vec<String> {
    let (after, until) = (at(after), at(until));
    let forth: Vec<_> = std::iter::successors(schedule.next(after), |last| schedule.next(*last))
        .take_while(|slot| *slot <= until)
        .collect();
    let step = |before: Timestamp| schedule.last(after, before - 1.nanosecond());
    let mut back: Vec<_> = std::iter::successors(schedule.last(after, until), |last| step(*last)).collect();
    back.reverse();
    assert_eq!(forth, back);
    forth.iter().map(Timestamp::to_string).collect()
}

#[test]
fn times_are_those_of_a_place() {
    let week = ["2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"];
    let of = |expression, zone| slots(&schedule(expression, zone), week[0], week[1]);
    assert_eq!(of(FRIDAYS, "UTC"), ["2026-11-27T22:00:00Z"]);
    assert_eq!(of(FRIDAYS, "Europe/Berlin"), ["2026-11-27T21:00:00Z"]);
    assert_eq!(of("0 22 * * FRI", "Asia/Kolkata"), ["2026-11-27T16:30:00Z"]);
    assert_eq!(of("30 3 * * 0,2", "UTC"), ["2026-11-24T03:30:00Z", "2026-11-29T03:30:00Z"]);
    assert!(of("0 0 1 1 *", "UTC").is_empty());
}

/// In Berlin 02:00 to 03:00 is not there on 29 March 2026, and twice there on 25 October.
#[test]
fn nights_of_the_changed_clock_have_each_time_once() {
    let spring = ["2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"];
    let autumn = ["2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"];
    let of = |expression, [after, until]: [&str; 2]| slots(&schedule(expression, "Europe/Berlin"), after, until);
    let jump = "2026-03-29T01:00:00Z";
    assert_eq!(of("30 2 * * *", spring), [jump]);
    assert_eq!(of("0,30 2 * * *", spring), [jump], "both are jumped over at once");
    assert_eq!(of("0 1-4 * * *", spring), ["2026-03-29T00:00:00Z", jump, "2026-03-29T02:00:00Z"]);
    assert_eq!(of("0 22 * * 6", spring), ["2026-03-28T21:00:00Z"]);
    assert_eq!(of("30 2 * * *", autumn), ["2026-10-25T00:30:00Z"]);
    let summers = ["2026-10-25T00:00:00Z", "2026-10-25T00:45:00Z"];
    assert_eq!(of("0,45 2 * * *", autumn), summers);
    assert_eq!(of("0 3 * * *", autumn), ["2026-10-25T02:00:00Z"]);
    // asked in the hour that is shown again
    let nights = schedule("0,45 2 * * *", "Europe/Berlin");
    let again = at("2026-10-25T01:15:00Z");
    assert_eq!(nights.last(at(autumn[0]), again), Some(at(summers[1])));
    assert_eq!(nights.next(again), Some(at("2026-10-26T01:00:00Z")));
}

#[test]
fn what_says_no_times_is_an_error() {
    for expression in
        ["", "0 22 * *", "0 22 * * 5 2026", "0 0 22 * * 5", "60 22 * * 5", "0 24 * * *", "0 22 * * FRIDAY", "weekly"]
    {
        let error = Schedule::parse(expression, "UTC").expect_err(expression);
        assert!(error.contains("\"0 22 * * 5\" is every Friday at 22:00"), "{error}");
    }
    for expression in ["0 0 30 2 *", "0 , * * *"] {
        let error = Schedule::parse(expression, "UTC").expect_err(expression);
        assert!(error.contains("never come"), "{error}");
    }
    for zone in ["", "Berlin", "Europe/Berlim", "Etc/Unknown", "+01:00", "CET-1CEST,M3.5.0,M10.5.0"] {
        let error = Schedule::parse(FRIDAYS, zone).expect_err(zone);
        assert!(error.starts_with(&format!("{zone:?} is no time zone")), "{error}");
    }
}

const CONDITIONS: Conditions = Conditions { labels: 20, pause: Duration::from_secs(7 * 24 * 60 * 60) };

/// Everything speaks for a training, and nothing has been decided since a Friday's, which began some seconds later.
fn facts() -> Facts {
    let slot = at("2026-11-06T22:00:00Z");
    Facts { decided: slot, new_labels: 20, last_begun: Some(slot + 20.seconds()), is_running: false }
}

fn decide(facts: Facts, now: &str) -> Decision {
    schedule(FRIDAYS, "UTC").decide(CONDITIONS, facts, at(now))
}

#[test]
fn a_training_begins_when_it_is_due_and_once() {
    let slot = at("2026-11-13T22:00:00Z");
    assert_eq!(decide(facts(), "2026-11-13T21:59:59.999Z"), Decision::Wait);
    assert_eq!(decide(facts(), "2026-11-13T22:00:00Z"), Decision::Begin { slot });
    let begun = Facts { decided: slot, last_begun: Some(slot), ..facts() };
    assert_eq!(decide(begun, "2026-11-13T22:00:00Z"), Decision::Wait);
    assert_eq!(decide(begun, "2026-11-20T21:59:00Z"), Decision::Wait);
    let first = Facts { last_begun: None, ..facts() };
    assert_eq!(decide(first, "2026-11-13T22:00:01Z"), Decision::Begin { slot });
}

#[test]
fn a_week_that_is_an_hour_short_is_a_week() {
    let (winter, summer) = (at("2026-03-27T21:00:00Z"), at("2026-04-03T20:00:00Z"));
    let begun = Facts { decided: winter, last_begun: Some(winter + 20.seconds()), ..facts() };
    let decision = schedule(FRIDAYS, "Europe/Berlin").decide(CONDITIONS, begun, summer);
    assert_eq!(decision, Decision::Begin { slot: summer });
    // where the pause is short, no more than half of it is given away
    let minutes = Conditions { pause: Duration::from_secs(120), ..CONDITIONS };
    let soon = schedule("* * * * *", "UTC").decide(minutes, begun, winter + 60.seconds());
    assert!(matches!(soon, Decision::Pass { why: Pass::TooSoon { .. }, .. }), "{soon:?}");
}

#[test]
fn what_was_missed_counts_once() {
    let slot = at("2026-12-18T22:00:00Z");
    assert_eq!(decide(facts(), "2026-12-21T08:00:00Z"), Decision::Begin { slot });
    assert_eq!(decide(Facts { decided: slot, ..facts() }, "2026-12-21T08:00:00Z"), Decision::Wait);
}

#[test]
fn a_clock_that_was_put_back_makes_nothing_due() {
    assert_eq!(decide(facts(), "2026-11-06T21:00:00Z"), Decision::Wait);
    assert_eq!(decide(facts(), "2020-01-01T00:00:00Z"), Decision::Wait);
    // the last one seems to begin later than now
    let begun = Some(at("2027-01-01T00:00:00Z"));
    let decision = decide(Facts { last_begun: begun, ..facts() }, "2026-11-13T22:00:00Z");
    assert!(matches!(decision, Decision::Pass { why: Pass::TooSoon { .. }, .. }), "{decision:?}");
}

/// Each start sets it: what was set last is in force, whatever the clock said then.
#[test]
fn a_schedule_is_set_once_though_the_one_before_was_set_while_the_clock_was_ahead() {
    let sandbox = Sandbox::new();
    let path = sandbox.state().join("ledger.db");
    let ledger = Ledger::open(&path).expect("a ledger");
    ledger.schedule_set("one".into()).expect("set");
    let ahead = "UPDATE training_slots SET slot = '2999-01-01T00:00:00.000Z', decided_at = slot";
    rusqlite::Connection::open(&path).and_then(|db| db.execute(ahead, [])).expect("the clock was ahead");
    for _ in 0..3 {
        ledger.schedule_set("another".into()).expect("set");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM training_slots WHERE schedule = 'another'"), 1);
}

#[test]
fn what_keeps_a_training_from_beginning_is_said() {
    let slot = at("2026-11-13T22:00:00Z");
    let why = |facts| match decide(facts, "2026-11-13T22:00:30Z") {
        Decision::Pass { slot: of, why } if of == slot => why,
        other => panic!("{other:?}"),
    };
    let few = Facts { new_labels: 19, ..facts() };
    assert_eq!(why(few), Pass::FewLabels { have: 19, needed: 20 });
    assert_eq!(why(few).to_string(), "there are too few new labels, 19 of the 20 needed");
    let begun = at("2026-11-07T22:00:30.5Z");
    let soon = Facts { last_begun: Some(begun), ..few };
    assert_eq!(why(soon), Pass::TooSoon { begun, until: at("2026-11-14T20:00:30.5Z") });
    let words =
        "the last training began at 2026-11-07T22:00:30Z, and the next may not begin before 2026-11-14T20:00:30Z";
    assert_eq!(why(soon).to_string(), words);
    let running = Facts { is_running: true, ..soon };
    assert_eq!(why(running).to_string(), "the last training is still running");
    // a pause that never ends is no overflow
    let endless = Conditions { pause: Duration::MAX, ..CONDITIONS };
    let decision = schedule(FRIDAYS, "UTC").decide(endless, facts(), slot);
    let begun = facts().last_begun.expect("one has begun");
    assert_eq!(decision, Decision::Pass { slot, why: Pass::TooSoon { begun, until: Timestamp::MAX } });
}

proptest! {
    /// Around each change of the clock, forwards and backwards meet the same times, in order, and none twice.
    #[test]
    fn both_ways_are_one(
        zone in prop::sample::select(vec![
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran", "America/Sao_Paulo", "Pacific/Apia",
        ]),
        expression in prop::sample::select(vec!["*/20 0-3,23 * * *", "30 2 * * *", "0 0 * * *", "0 * * * *"]),
        hours in 0i64..200_000,
    ) {
        let after = Timestamp::UNIX_EPOCH + (10_000 + 2 * hours).hours();
        let schedule = schedule(expression, zone);
        let slots = slots(&schedule, &after.to_string(), &(after + 72.hours()).to_string());
        prop_assert!(slots.is_sorted(), "{slots:?}");
        let mut once = slots.clone();
        once.dedup();
        prop_assert_eq!(once.len(), slots.len());
    }
}
