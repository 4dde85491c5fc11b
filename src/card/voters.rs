//! The ensemble beside each of its networks.

use super::results::Voter;
use super::scale::Scale;
use super::strip::{self, Mark};
use super::words::{between, number, percent, percent_between};
use maud::{Markup, html};

/// The ensemble's dot and whisker, and each network's below.
pub(super) fn accuracies(voters: &[Voter]) -> Markup {
    let ends = |voter: &Voter| voter.intervals.accuracy.map(|interval| (interval.low, interval.high));
    let values = voters.iter().flat_map(|voter| {
        let (low, high) = ends(voter).unzip();
        [voter.scores.accuracy, low, high].into_iter().flatten()
    });
    let scale = Scale::around(values, 5);
    let ensemble = voters.first().and_then(|voter| voter.scores.accuracy);
    html! {
        figure {
            figcaption { "Accuracy: the share of knees graded as the reader says, with its 95 % interval" }
            table.strips {
                thead {
                    tr {
                        th scope="col" { "Voter" } th.n scope="col" { "Accuracy, 95 %" } th.strip aria-hidden="true" {}
                    }
                }
                tbody {
                    @for (place, voter) in voters.iter().enumerate() {
                        tr class=[(place == 0).then_some("main")] {
                            th scope="row" { (voter.name) }
                            td.n {
                                (percent(voter.scores.accuracy))
                                " " span.quiet.beside { (percent_between(voter.intervals.accuracy)) }
                            }
                            @if let Some(at) = voter.scores.accuracy {
                                (strip::cell(&scale, ensemble, &Mark { at, whisker: ends(voter), is_main: place == 0 }))
                            }
                        }
                    }
                }
                tfoot aria-hidden="true" {
                    tr { td colspan="2" {} (strip::axis(&scale, |value| scale.percent(value))) }
                }
            }
        }
    }
}

/// What accuracy does not tell.
pub(super) fn all_scores(voters: &[Voter]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="All scores" {
            table {
                thead {
                    tr {
                        th scope="col" { "Voter" } th.n scope="col" { "Macro F1" } th.n scope="col" { "Kappa" }
                        th.n scope="col" { "Off by" } th.n scope="col" { "Log loss" } th.n scope="col" { "Brier" }
                        th.n scope="col" { "Calibration error" }
                    }
                }
                tbody {
                    @for (place, Voter { name, scores, intervals }) in voters.iter().enumerate() {
                        tr class=[(place == 0).then_some("main")] {
                            th scope="row" { (name) }
                            td.n {
                                (number(scores.macro_f1)) br;
                                span.quiet { (between(intervals.macro_f1)) }
                            }
                            td.n {
                                (number(scores.quadratic_kappa)) br;
                                span.quiet { (between(intervals.quadratic_kappa)) }
                            }
                            td.n { (number(scores.mean_absolute_error)) } td.n { (number(scores.log_loss)) }
                            td.n { (number(scores.brier)) } td.n { (number(scores.calibration_error)) }
                        }
                    }
                }
            }
        }
        p.small {
            "Kappa is Cohen's with quadratic weights: 1 is full agreement with the reader, 0 is chance. Off by: \
             grades, on average. Log loss, Brier score and calibration error judge the probabilities; less is better. \
             In grey: 95 % intervals, which draw patients, not knees."
        }
    }
}
