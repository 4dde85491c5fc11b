//! What is being measured now, on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar on a terminal, nothing elsewhere.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar of so many measurements.
    pub(super) fn of(measurements: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(measurements as u64), ProgressDrawTarget::stderr_with_hz(4));
        let style = "{bar:40.cyan/blue} {pos:>3}/{len}  {elapsed} elapsed  {msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(500));
        bar.set_message("building the networks");
        Self(bar)
    }

    /// The next measurement begins.
    pub(super) fn next(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
