//! Starts, above all the first one: from an empty state folder until the inbox is watched.

use super::calls::Calls;
use super::left::left_before_each_step;
use super::tracer::{End, Fault, Faults, Plan, Report, Round, Traced};
use super::{SIDE_BY_SIDE, bring_films, copy_of, every, next_start_goes_on, prepared, side_by_side};
use crate::sandbox::{QUICK, Sandbox};
use nix::libc::{EDQUOT, EIO, EMFILE, ENOSPC, EROFS};

#[test]
fn a_first_start_that_was_killed_or_lost_its_power_is_made_up_for() {
    let steps = left_before_each_step(
        Sandbox::bare(QUICK),
        (&["run"], QUICK),
        |_, traced| traced.ready(),
        |left, what| next_start_goes_on(left, what, |sandbox| bring_films(sandbox, 1)),
    );
    let Some(steps) = steps else { return };
    println!("killed or without power before {steps} durable steps of a first start");
    assert!(steps >= 40, "only {steps} steps: the tracer does not see them");
}

/// A start that meets an error goes on, or ends with it and the exit code for that; the next one is none the worse.
fn start_through(sandbox: &Sandbox, calls: Calls, faults: Round) -> Option<Report> {
    let traced = Traced::start(sandbox, &["run"], Plan { faults: Faults::At(vec![faults]), ..Plan::watched(calls) });
    traced.ready();
    let report = traced.end()?;
    let (what, log) = (format!("{:?}", report.faults), sandbox.log());
    match report.end {
        End::Exited(0) => {}
        End::Exited(3) => {
            let said = log.lines().rev().find(|line| line.starts_with("kellgrend: ")).unwrap_or_default();
            let is_clear = [
                "Input/output error",
                "No space left",
                "Read-only",
                "quota exceeded",
                "Too many open files",
                "disk I/O error",
                "disk is full",
                // SQLite does not say why
                "unable to open database file",
            ]
            .iter()
            .any(|words| said.contains(words));
            println!("{what}: {said}");
            assert!(is_clear, "{what}:\n{log}");
        }
        _ => panic!("{what}: {:?}\n{log}", report.end),
    }
    next_start_goes_on(sandbox, &what, |sandbox| bring_films(sandbox, 1));
    Some(report)
}

#[test]
fn a_start_that_meets_an_error_goes_on_or_says_so() {
    let prepared = prepared();
    let starts: [(&str, &(dyn Fn() -> Sandbox + Sync)); 2] =
        [("first", &|| Sandbox::bare(QUICK)), ("later", &|| copy_of(&prepared, QUICK))];
    for (calls, usually) in [(Calls::Durable, [11, 5]), (Calls::Open, [59, 19])] {
        for ((which, sandbox), usually) in starts.into_iter().zip(usually) {
            let Some(undisturbed) = start_through(&sandbox(), calls, Round::new()) else { return };
            let steps = undisturbed.steps.len();
            let errnos = [EIO, ENOSPC, EROFS, EMFILE, EDQUOT].into_iter().cycle();
            let faults: Vec<_> = (1..=steps).step_by(every(usually)).zip(errnos).collect();
            println!("{} of {steps} steps of a {which} start, {calls:?}", faults.len());
            side_by_side(SIDE_BY_SIDE, faults, |(step, errno)| {
                start_through(&sandbox(), calls, Round::from([(step, Fault(errno))]));
            });
        }
    }
}
