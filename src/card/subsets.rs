//! How well some of the networks grade together.

use super::words::{count, number, percent};
use maud::{Markup, html};
use serde::Serialize;

/// As many as a reader compares; `card.json` has all.
const SHOWN: usize = 10;

/// Some of the networks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subset {
    /// Their names.
    pub members: Vec<String>,
    /// The share of knees that they grade as the readers say.
    pub accuracy: Option<f64>,
    /// The mean of F1 over the grades that somebody says.
    pub macro_f1: Option<f64>,
    /// Cohen's kappa with quadratic weights.
    pub quadratic_kappa: Option<f64>,
}

/// The best of them.
pub(super) fn section(subsets: &[Subset]) -> Markup {
    html! {
        p {
            "Every combination was tried on knees that its networks had left out here; here are the best "
            (subsets.len().min(SHOWN)) " of " (count(subsets.len() as u64)) ". Being the best of many flatters the \
             first a little: how good it is must be asked of other knees."
        }
        div.wide tabindex="0" role="region" aria-label="Combinations of networks" {
            table {
                thead {
                    tr {
                        th scope="col" { "Networks" } th.n scope="col" { "Accuracy" } th.n scope="col" { "Macro F1" }
                        th.n scope="col" { "Kappa" }
                    }
                }
                tbody {
                    @for Subset { members, accuracy, macro_f1, quadratic_kappa } in subsets.iter().take(SHOWN) {
                        tr {
                            th.wrap scope="row" { (members.join(", ")) } td.n { (percent(*accuracy)) }
                            td.n { (number(*macro_f1)) } td.n { (number(*quadratic_kappa)) }
                        }
                    }
                }
            }
        }
    }
}
