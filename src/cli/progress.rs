//! The bar on standard error while many radiographs are at work.

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::time::Duration;

/// How a bar looks whose message says what is counted.
pub(super) const COUNTED: &str = "{bar:20.cyan/blue} {pos:>6}/{len} {msg}";

/// Nothing is foretold of the first moments, in which networks are loaded and what was graded before is passed over.
const FIRST_MOMENTS: Duration = Duration::from_secs(15);

/// How long it will take yet, as things have gone of late.
fn left(state: &ProgressState, words: &mut dyn std::fmt::Write) {
    if state.elapsed() > FIRST_MOMENTS && state.pos() > 0 {
        let _ = write!(words, ", {} left", HumanDuration(state.eta()));
    }
}

/// A bar of so many radiographs; nothing where standard error is no terminal.
pub(super) fn bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr_with_hz(4));
    let style = "{bar:20.cyan/blue} {pos:>6}/{len} radiographs, {elapsed} passed{left}";
    let style = ProgressStyle::with_template(style).expect("a valid template").with_key("left", left);
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
