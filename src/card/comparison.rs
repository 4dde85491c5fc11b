//! How the release did against the one that was in service.

use super::scale::Scale;
use super::strip::{self, Mark};
use super::words::{number, signed};
use maud::{Markup, html};
use serde::Serialize;

/// Both on the same knees.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The release that was in service.
    pub champion: String,
    /// Score by score.
    pub rows: Vec<Change>,
    /// Whether the gate lets this release take its place.
    pub passed: bool,
    /// Why, in full sentences.
    pub reasons: Vec<String>,
}

/// One score of both.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// What it is called; where less is better, it says so.
    pub score: String,
    /// The champion's.
    pub champion: f64,
    /// This release's.
    pub challenger: f64,
    /// This release's less the champion's.
    pub difference: f64,
    /// Where the middle 95 % of the difference begin.
    pub low: f64,
    /// Where they end.
    pub high: f64,
}

/// The decision and its reasons, and the differences with their intervals.
pub(super) fn section(compared: &Compared) -> Markup {
    let Compared { champion, rows, passed, reasons } = compared;
    let scale = Scale::around(rows.iter().flat_map(|row| [row.low, row.high, row.difference, 0.0]), 5);
    html! {
        p {
            strong { @if *passed { "It passes the gate." } @else { "It does not pass the gate." } }
            " Both releases graded the same gold knees; " strong { (champion) } " was in service."
        }
        @if !reasons.is_empty() { ul { @for reason in reasons { li { (reason) } } } }
        figure {
            figcaption {
                "Difference to " (champion) " with its 95 % interval. Right of the line is more; where the whisker \
                 crosses it, it may be chance."
            }
            table.strips.forest {
                thead {
                    tr {
                        th scope="col" { "Score" } th.n scope="col" { "Before" } th.n scope="col" { "Now" }
                        th.n scope="col" { "Difference" } th.strip aria-hidden="true" {}
                    }
                }
                tbody {
                    @for Change { score, champion, challenger, difference, low, high } in rows {
                        tr {
                            th scope="row" { (score) } td.n { (number(*champion)) } td.n { (number(*challenger)) }
                            td.n { (signed(*difference)) br; span.quiet { (signed(*low)) " to " (signed(*high)) } }
                            (strip::cell(&scale, Some(0.0), &Mark {
                                at: *difference, whisker: Some((*low, *high)), is_main: *low > 0.0 || *high < 0.0,
                            }))
                        }
                    }
                }
                tfoot aria-hidden="true" {
                    tr { td colspan="4" {} (strip::axis(&scale, |value| scale.written(value))) }
                }
            }
        }
    }
}
