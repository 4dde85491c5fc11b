//! The life of a film.

use super::left::left_before_each_step;
use super::{bring_films, is_done, next_start_goes_on, prepared};
use crate::sandbox::QUICK;
use std::time::Duration;

#[test]
fn killed_or_without_power_before_any_durable_step_it_goes_on() {
    let prepared = prepared();
    bring_films(&prepared, 1);
    let steps = left_before_each_step(
        prepared,
        (&["run"], QUICK),
        |sandbox, traced| traced.wait_for(Duration::from_secs(90), || is_done(sandbox, 1)),
        |left, what| next_start_goes_on(left, what, |_| ()),
    );
    let Some(steps) = steps else { return };
    println!("killed or without power before {steps} durable steps of a film's life");
    assert!(steps >= 40, "only {steps} steps: the tracer does not see them");
}
