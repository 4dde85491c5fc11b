//! A dot with its whisker in a cell of a table: one axis for all rows, whose numbers stand beside it.

use super::scale::Scale;
use maud::{Markup, html};

/// What a row shows.
pub(super) struct Mark {
    /// Where the dot is.
    pub(super) at: f64,
    /// The ends of the whisker.
    pub(super) whisker: Option<(f64, f64)>,
    /// Whether it is the one that the table is about.
    pub(super) is_main: bool,
}

/// A share of the width, kept off the edges so that labels at both ends have room.
fn place(scale: &Scale, value: f64) -> String {
    format!("{:.2}%", 8.0 + 84.0 * scale.share(value))
}

/// The cell. Everything is placed in percent, so that it fits a table of any width and no dot is ever stretched.
pub(super) fn cell(scale: &Scale, reference: Option<f64>, mark: &Mark) -> Markup {
    let line = |value, class| {
        let x = place(scale, value);
        html! { line class=(class) x1=(x) x2=(x) y1="0" y2="100%" {} }
    };
    html! {
        td.strip {
            svg aria-hidden="true" class=[mark.is_main.then_some("main")] {
                @for value in scale.lines() { (line(value, "grid")) }
                @if let Some(value) = reference { (line(value, "reference")) }
                @if let Some((low, high)) = mark.whisker {
                    line.whisker x1=(place(scale, low)) x2=(place(scale, high)) y1="50%" y2="50%" {}
                }
                circle cx=(place(scale, mark.at)) cy="50%" r="4.5" {}
            }
        }
    }
}

/// The cell below: what the lines mean.
pub(super) fn axis(scale: &Scale, label: impl Fn(f64) -> String) -> Markup {
    html! {
        td.strip.axis aria-hidden="true" {
            @for value in scale.lines() { span style={ "left:" (place(scale, value)) } { (label(value)) } }
        }
    }
}
