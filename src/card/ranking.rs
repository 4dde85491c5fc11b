//! How well each grade's probability tells its knees from the others, wherever the line is drawn.

use super::colours::{self, REFERENCE};
use super::plot::{Axis, Plot, line};
use super::words::{kl, number};
use crate::evaluation::{Case, OfGrade, Place, Ranking, Scores};
use crate::grade::KlGrade;
use maud::{Markup, html};
use plotters::element::PathElement;

/// Steps along an axis that the eye can tell apart; what lies between two of them is not drawn.
const STEPS: f64 = 500.0;

/// One plot for all grades.
struct Curves<'a> {
    title: &'a str,
    axes: (&'a str, &'a str),
    /// Where chance would be.
    chance: &'a [Place],
    places: fn(&Ranking) -> Vec<Place>,
    area: fn(&OfGrade) -> Option<f64>,
}

/// Sensitivity and specificity; nothing without cases.
pub(super) fn roc(cases: &[Case], scores: &Scores) -> Markup {
    let curves = Curves {
        title: "Receiver operating characteristic by grade, with the area under it",
        axes: ("1 − specificity", "Sensitivity"),
        chance: &[(0.0, 0.0), (1.0, 1.0)],
        places: Ranking::roc,
        area: |grade| grade.roc_auc,
    };
    curves.figure(cases, scores)
}

/// Precision and recall; nothing without cases.
pub(super) fn precision_recall(cases: &[Case], scores: &Scores) -> Markup {
    let curves = Curves {
        title: "Precision and recall by grade, with the average precision",
        axes: ("Recall", "Precision"),
        chance: &[],
        places: Ranking::precision_recall,
        area: |grade| grade.average_precision,
    };
    curves.figure(cases, scores)
}

impl Curves<'_> {
    fn figure(&self, cases: &[Case], scores: &Scores) -> Markup {
        if cases.is_empty() {
            return html! {};
        }
        html! {
            figure {
                figcaption { (self.title) }
                (self.plot(cases))
                ul.legend {
                    @for of in &scores.grades {
                        li {
                            i style={ "background:" (colours::GRADES[of.grade.index()].variable()) } {}
                            (kl(of.grade)) " " b { (number((self.area)(of))) }
                        }
                    }
                }
            }
        }
    }

    fn plot(&self, cases: &[Case]) -> Markup {
        let (x, y) = (Axis::of_shares(self.axes.0), Axis::of_shares(self.axes.1));
        let plot = Plot { title: self.title, size: (350, 330), x, y };
        plot.draw(|chart| {
            chart.draw_series([PathElement::new(self.chance.to_vec(), line(&REFERENCE.ink(), 1.0))])?;
            for grade in KlGrade::ALL {
                let Some(ranking) = Ranking::of(grade, cases) else { continue };
                let mut places = (self.places)(&ranking);
                places.dedup_by_key(|place| [place.0, place.1].map(|share| (share * STEPS).round() as i32));
                chart.draw_series([PathElement::new(places, line(&colours::GRADES[grade.index()].ink(), 1.8))])?;
            }
            Ok(())
        })
    }
}
