//! Whether the probabilities say how often the grades are right.

use super::colours::{BESIDE, MAIN, REFERENCE};
use super::plot::{Axis, FINE, Plot, ROOM, line};
use super::scale::Scale;
use super::words::{count, number, percent};
use crate::evaluation::{BINS, Bin, Case, bins};
use maud::{Markup, html};
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::Color as _;

/// With fewer knees than this, a bin's dot is hollow: chance moves it far.
const MANY: u64 = 20;

/// The dots and, below them, how many knees each stands for; nothing without cases.
pub(super) fn figure(cases: &[Case], error: Option<f64>) -> Markup {
    if cases.is_empty() {
        return html! {};
    }
    let bins = bins(cases);
    html! {
        figure {
            figcaption {
                "Probability of the likeliest grade, and how often it is right; calibration error " (number(error))
                ". Hollow: fewer than " (MANY) " knees"
            }
            (dots(&bins))
            (bars(&bins))
            details {
                summary { "The bins in numbers" }
                (table(&bins))
            }
        }
    }
}

fn dots(bins: &[Bin]) -> Markup {
    let plot = Plot {
        title: "Share of right grades by the probability of the likeliest grade",
        size: (350, 230),
        // its numbers stand below the bars
        x: Axis { room: 0, ..Axis::of_shares("") },
        y: Axis::of_shares("Share that is right"),
    };
    plot.draw(|chart| {
        chart.draw_series([PathElement::new([(0.0, 0.0), (1.0, 1.0)], line(&REFERENCE.ink(), 1.0))])?;
        chart.draw_series(bins.iter().filter_map(|bin| {
            let style = if bin.knees < MANY { line(&MAIN.ink(), 1.4) } else { MAIN.ink().filled() };
            Some(Circle::new((bin.probability()?, bin.accuracy()?), 4 * FINE, style))
        }))?;
        Ok(())
    })
}

fn bars(bins: &[Bin]) -> Markup {
    // up to 2 at least, or there would be lines between whole knees
    let scale = Scale::around(bins.iter().map(|bin| bin.knees as f64).chain([0.0, 2.0]), 2);
    let plot = Plot {
        title: "Knees in each of 15 bins",
        size: (350, 100),
        x: Axis::of_shares("Probability"),
        y: Axis {
            name: "Knees",
            from: 0.0,
            to: scale.high,
            lines: scale.line_count(),
            label: &|knees| count(*knees as u64),
            room: ROOM,
        },
    };
    plot.draw(|chart| {
        chart.draw_series((0..).zip(bins).map(|(place, bin)| {
            let edge = |of: f64| (f64::from(place) + of) / BINS as f64;
            Rectangle::new([(edge(0.08), 0.0), (edge(0.92), bin.knees as f64)], BESIDE.ink().filled())
        }))?;
        Ok(())
    })
}

fn table(bins: &[Bin]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Bin" } th.n scope="col" { "Knees" } th.n scope="col" { "Probability" }
                    th.n scope="col" { "Right" }
                }
            }
            tbody {
                @for (place, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.knees > 0) {
                    tr {
                        th scope="row" { (place + 1) } td.n { (count(bin.knees)) } td.n { (percent(bin.probability())) }
                        td.n { (percent(bin.accuracy())) }
                    }
                }
            }
        }
    }
}
