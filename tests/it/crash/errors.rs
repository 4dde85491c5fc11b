//! Calls that fail, as on a disk that breaks, is full, or has become read-only. The daemon goes on by itself: each film is graded
//! once, and no failure of the system is the fault of a film.

use super::calls::Calls;
use super::tracer::{End, Fault, Faults, Plan, Report, Round, Traced};
use super::{bring_films, copy_of, every, is_as_it_must_be, is_done, prepared, side_by_side};
use crate::sandbox::{QUICK, Sandbox};
use nix::libc::{EDQUOT, EIO, EMFILE, ENOSPC, EROFS};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// So many daemons at a time; they wait more than they compute.
const DAEMONS: usize = 6;

/// Films come round by round, and in each round calls fail; the daemon is the same all the time.
fn live_through(prepared: &Sandbox, calls: Calls, rounds: &[Round]) -> Option<Report> {
    let sandbox = copy_of(prepared, QUICK);
    let plan = Plan { faults: Faults::At(rounds.to_vec()), from_start: false, ..Plan::watched(calls) };
    let mut traced = Traced::start(&sandbox, &["run"], plan);
    traced.ready();
    for round in 1..=rounds.len() {
        traced.begin();
        bring_films(&sandbox, round);
        traced.wait_for(Duration::from_secs(240), || is_done(&sandbox, round));
    }
    // its end is no part of a round
    traced.pause();
    let report = traced.end()?;
    let what = format!("{:?}", report.faults);
    assert_eq!(report.end, End::Exited(0), "{what}:\n{}", sandbox.log());
    is_as_it_must_be(&sandbox, rounds.len(), &what);
    Some(report)
}

/// Lives through all of these rounds, several daemons side by side, and says which kinds of calls have failed.
fn live_through_all(calls: Calls, rounds_of: impl Fn(usize) -> Vec<Round>) -> Option<BTreeSet<String>> {
    let prepared = prepared();
    let undisturbed = live_through(&prepared, calls, &[Round::new()])?;
    let rounds = rounds_of(undisturbed.steps.len());
    let reports = Mutex::new(Vec::new());
    side_by_side(DAEMONS, 0..DAEMONS, |daemon| {
        let rounds: Vec<_> = rounds.iter().skip(daemon).step_by(DAEMONS).cloned().collect();
        let report = live_through(&prepared, calls, &rounds);
        reports.lock().expect("no holder panics").extend(report);
    });
    let reports = reports.into_inner().expect("no holder panics");
    let failed: Vec<_> = reports.iter().flat_map(|report| &report.faults).collect();
    let kinds: BTreeSet<_> = failed.iter().map(|(words, _)| words.clone()).collect();
    let seen: BTreeSet<_> = undisturbed.steps.iter().cloned().collect();
    println!(
        "{} failures in {} rounds of {} steps, of {} kinds; these have never failed: {:?}",
        failed.len(),
        rounds.len(),
        undisturbed.steps.len(),
        kinds.len(),
        seen.difference(&kinds).collect::<Vec<_>>()
    );
    Some(kinds)
}

#[test]
fn any_durable_step_may_fail_and_the_daemon_goes_on() {
    let errnos = [EIO, ENOSPC, EROFS];
    let rounds = |steps: usize| {
        // each step with one of them, or with each of them
        let all = (1..=steps).flat_map(|step| errnos.map(|errno| Round::from([(step, Fault(errno))])));
        all.step_by(every(3)).collect()
    };
    let Some(kinds) = live_through_all(Calls::Durable, rounds) else { return };
    assert!(kinds.len() >= 10, "the tracer does not see them: {kinds:?}");
}

#[test]
fn files_may_fail_to_open_or_to_be_written_and_the_daemon_goes_on() {
    let errnos = [EIO, EMFILE, ENOSPC, EDQUOT];
    let rounds = |steps: usize| {
        let round = |first: usize| {
            let places = (first..=steps).step_by(31);
            places.zip(errnos.into_iter().cycle().skip(first)).map(|(step, errno)| (step, Fault(errno))).collect()
        };
        (1..=31).step_by(every(3)).map(round).collect()
    };
    let Some(kinds) = live_through_all(Calls::Open, rounds) else { return };
    assert!(kinds.len() >= 5, "the tracer does not see them: {kinds:?}");
}

#[test]
fn while_all_is_read_only_it_waits() {
    let prepared = prepared();
    let Some(undisturbed) = live_through(&prepared, Calls::Changing, &[Round::new()]) else { return };
    // the disk turns while films are at different places of their way
    let turns: Vec<_> = (0..6).map(|part| 1 + undisturbed.steps.len() * part / 6).collect();
    let sandbox = copy_of(&prepared, QUICK);
    let faults = Faults::From(turns.clone(), Fault(EROFS));
    let plan = Plan { faults, from_start: false, ..Plan::watched(Calls::Changing) };
    let mut traced = Traced::start(&sandbox, &["run"], plan);
    traced.ready();
    for round in 1..=turns.len() {
        let before = traced.faults();
        traced.begin();
        bring_films(&sandbox, round);
        traced.wait_for(Duration::from_secs(90), || traced.faults() > before);
        // it tries again, in vain
        let first = traced.faults();
        traced.wait_for(Duration::from_secs(90), || traced.faults() > first);
        traced.pause();
        traced.wait_for(Duration::from_secs(90), || is_done(&sandbox, round));
    }
    let Some(report) = traced.end() else { return };
    println!("{} calls failed while all was read-only", report.faults.len());
    assert_eq!(report.end, End::Exited(0), "{:?}\n{}", report.faults, sandbox.log());
    is_as_it_must_be(&sandbox, turns.len(), &format!("{:?}", report.faults));
}
