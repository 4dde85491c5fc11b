//! Which knees a human should read again.

use super::words::{number, percent};
use maud::{Markup, html};
use serde::Serialize;

/// The line between knees that are left to the networks and those that are marked for a human.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// A knee is marked where the mean probability of its grade is below this.
    pub threshold: f64,
    /// The share that is not marked.
    pub coverage: f64,
    /// Of these, the share that is graded as the readers say.
    pub accuracy: Option<f64>,
    /// The same of those that are marked.
    pub accuracy_of_marked: Option<f64>,
}

/// Four numbers and what they mean.
pub(super) fn section(review: &Review) -> Markup {
    let Review { threshold, coverage, accuracy, accuracy_of_marked } = review;
    html! {
        p {
            "A knee is marked to be read again where the mean probability of its grade is below "
            strong { (number(*threshold)) } ". One that is not marked may be graded wrongly, too. Both shares are of \
             the out-of-fold answers, by which this line, the members and their temperatures were chosen: they flatter a little."
        }
        div.wide tabindex="0" role="region" aria-label="Marked knees" {
            table {
                thead {
                    tr {
                        th scope="col" { "Knees" } th.n scope="col" { "Share" }
                        th.n scope="col" { "Graded as the reader says" }
                    }
                }
                tbody {
                    tr { th scope="row" { "Not marked" } td.n { (percent(*coverage)) } td.n { (percent(*accuracy)) } }
                    tr {
                        th scope="row" { "Marked" } td.n { (percent(1.0 - coverage)) }
                        td.n { (percent(*accuracy_of_marked)) }
                    }
                }
            }
        }
    }
}
