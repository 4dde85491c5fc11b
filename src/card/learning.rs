//! How learning went, a small plot a network.

use super::colours::{BESIDE, MAIN};
use super::plot::{Axis, Drawn, Plot, line};
use super::scale::Scale;
use super::words::{number, percent};
use maud::{Markup, html};
use plotters::element::PathElement;
use serde::Serialize;
use std::collections::BTreeSet;

/// One network's fit.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// The network.
    pub network: String,
    /// The fold that was left out, counted from 1.
    pub fold: usize,
    /// The epoch whose weights were kept.
    pub kept: usize,
    /// Epoch by epoch.
    pub points: Vec<Point>,
}

/// How it was after an epoch.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean loss while it learnt, of changed pictures.
    pub train_loss: f64,
    /// The log loss on the fold that was left out.
    pub loss: f64,
    /// The share of that fold that it graded as the reader says.
    pub accuracy: f64,
}

/// A line's value in each point.
type Value = fn(&Point) -> f64;

const TRAIN_LOSS: Value = |point| point.train_loss;
const LOSS: Value = |point| point.loss;
const ACCURACY: Value = |point| point.accuracy;

/// Losses, then accuracies, all networks on the same axes, and where the fits ended.
pub(super) fn section(curves: &[Curve]) -> Markup {
    let networks = networks(curves);
    html! {
        p {
            "Each line is one fit of a network: it learnt from all folds but one, and was judged on that one. While it \
             learns, a network sees changed pictures, and its loss is of these; so the two losses tell a trend, not a \
             gap."
        }
        figure {
            figcaption {
                "Loss by epoch: " span.key.main { "on the fold left out" } " and " span.key.beside { "while learning" }
            }
            div.small-multiples { @for name in &networks { (small(curves, name, "Loss", &[TRAIN_LOSS, LOSS])) } }
        }
        figure {
            figcaption { "Accuracy by epoch, " span.key.main { "on the fold left out" } }
            div.small-multiples { @for name in &networks { (small(curves, name, "Accuracy", &[ACCURACY])) } }
        }
        (ends(curves, &networks))
    }
}

/// In the order in which they come.
fn networks(curves: &[Curve]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    curves.iter().map(|curve| curve.network.as_str()).filter(|name| seen.insert(*name)).collect()
}

/// One network's lines; the last value is what counts, and is drawn over the others.
fn small(curves: &[Curve], network: &str, what: &str, values: &[Value]) -> Markup {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let scale = Scale::around(values.iter().flat_map(|value| points().map(value)), 3);
    let epochs = points().map(|point| point.epoch).max().unwrap_or(1).max(2);
    let plot = Plot {
        title: &format!("{what} of {network} by epoch"),
        size: (180, 130),
        x: Axis {
            name: "",
            from: 1.0,
            to: epochs as f64,
            // no lines between whole epochs
            lines: epochs.min(4),
            label: &|epoch| format!("{epoch:.0}"),
            room: 18,
        },
        y: Axis {
            name: "",
            from: scale.low,
            to: scale.high,
            lines: scale.line_count(),
            label: &|value| scale.written(*value),
            room: 34,
        },
    };
    let drawn = plot.draw(|chart| -> Drawn {
        for (at, value) in values.iter().enumerate() {
            let style = if at + 1 == values.len() { line(&MAIN.ink(), 1.2) } else { line(&BESIDE.ink(), 1.0) };
            for curve in curves.iter().filter(|curve| curve.network == network) {
                let places = curve.points.iter().map(|point| (point.epoch as f64, value(point)));
                let finite: Vec<_> = places.filter(|place| place.1.is_finite()).collect();
                chart.draw_series([PathElement::new(finite, style)])?;
            }
        }
        Ok(())
    });
    html! { figure { figcaption { (network) } (drawn) } }
}

/// The accuracy after the epoch that was kept and the loss beside it, fold by fold.
fn ends(curves: &[Curve], networks: &[&str]) -> Markup {
    let folds: BTreeSet<usize> = curves.iter().map(|curve| curve.fold).collect();
    let kept = |network: &str, fold: usize| {
        let curve = curves.iter().find(|curve| curve.network == network && curve.fold == fold);
        curve.and_then(|curve| curve.points.iter().find(|point| point.epoch == curve.kept))
    };
    html! {
        figure {
            figcaption { "After the epoch that was kept: accuracy, and below it the loss, on the fold left out" }
            div.wide tabindex="0" role="region" aria-label="After the epoch that was kept" {
                table {
                    thead {
                        tr { th scope="col" { "Network" } @for fold in &folds { th.n scope="col" { "Fold " (fold) } } }
                    }
                    tbody {
                        @for network in networks {
                            tr {
                                th scope="row" { (network) }
                                @for fold in &folds {
                                    @let kept = kept(network, *fold);
                                    td.n { (percent(kept.map(ACCURACY))) br; span.quiet { (number(kept.map(LOSS))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
