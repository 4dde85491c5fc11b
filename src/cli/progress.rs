//! The bar on standard error while many radiographs are at work.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How a bar looks whose message says what is counted.
pub(super) const COUNTED: &str = "{bar:20.cyan/blue} {pos:>6}/{len} {msg}";

/// A bar of so many radiographs; nothing where standard error is no terminal.
pub(super) fn bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr_with_hz(4));
    let style = "{bar:20.cyan/blue} {pos:>6}/{len} radiographs, {elapsed} passed, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
