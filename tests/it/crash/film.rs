//! The life of a film.

use super::tracer::{Plan, Traced};
use super::{bring_films, copy_of, every, is_done, kill_at_steps, leftovers, next_start_goes_on, prepared};
use crate::sandbox::{QUICK, Sandbox};
use std::time::Duration;

#[test]
fn killed_or_without_power_before_any_durable_step_it_goes_on() {
    let prepared = prepared();
    let killed = kill_at_steps((1..).step_by(every(1)), |step| {
        let (sandbox, unpowered) = (copy_of(&prepared, QUICK), Sandbox::with(QUICK));
        bring_films(&sandbox, 1);
        let mut traced = Traced::start(&sandbox, &["run"], Plan::killed_before(step, &unpowered));
        traced.wait_for(Duration::from_secs(90), || is_done(&sandbox, 1));
        let report = traced.end()?;
        for (left, what) in leftovers(step, &report, &sandbox, &unpowered) {
            next_start_goes_on(left, &what, |_| ());
        }
        Some(report)
    });
    let Some(killed) = killed else { return };
    println!("killed or without power before {killed} durable steps of a film's life");
    assert!(killed * every(1) >= 40, "only {killed} steps: the tracer does not see them");
}
