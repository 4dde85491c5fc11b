//! The networks that vote.

use super::words::number;
use maud::{Markup, html};
use serde::Serialize;

/// A network of the release.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Its name in the release.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// The side of its views in pixels.
    pub image_size: u32,
    /// Above 1: it looks at the knee's middle, too, so many times as large.
    pub zoom: f64,
    /// What its logits are divided by.
    pub temperature: f64,
    /// The fold that it has not seen, counted from 1; none where it was not trained in folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
}

/// The table of them.
pub(super) fn section(members: &[Member]) -> Markup {
    let zooms = members.iter().any(|member| member.zoom > 1.0);
    let is_in_folds = members.iter().any(|member| member.fold.is_some());
    html! {
        p {
            "Each looks at the knee as it is and flipped left-right"
            @if zooms { ", those with a zoom at its middle, too, so many times as large" }
            ". The mean of its answers is divided by the network's temperature before it becomes probabilities: above 1 it makes them less \
             sure, below 1 surer."
        }
        div.wide tabindex="0" role="region" aria-label="Networks" {
            table {
                thead {
                    tr {
                        th scope="col" { "Network" } th scope="col" { "Architecture" }
                        th.n scope="col" { "View, pixels" }
                        @if zooms { th.n scope="col" { "Zoom" } }
                        th.n scope="col" { "Temperature" }
                        @if is_in_folds { th.n scope="col" { "Unseen fold" } }
                    }
                }
                tbody {
                    @for Member { name, architecture, image_size, zoom, temperature, fold } in members {
                        tr {
                            th scope="row" { (name) } td { (architecture) }
                            td.n { (image_size) "\u{a0}×\u{a0}" (image_size) }
                            @if zooms { td.n { (number(*zoom)) } }
                            td.n { (number(*temperature)) }
                            @if is_in_folds { td.n { @if let Some(fold) = fold { (fold) } @else { "\u{2013}" } } }
                        }
                    }
                }
            }
        }
    }
}
