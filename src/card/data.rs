//! What the networks learnt from.

use super::colours;
use super::words::{count, counted, kl};
use crate::grade::{GRADES, KlGrade};
use maud::{Markup, html};
use serde::Serialize;

/// The labelled knees.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// How many.
    pub knees: u64,
    /// Of how many patients.
    pub patients: u64,
    /// Of the knees, those that name no patient: each counts as one of its own.
    pub nameless: u64,
    /// Fold by fold, and those kept aside.
    pub folds: Vec<FoldRow>,
    /// Where films and grades come from, in words.
    pub source: String,
}

/// Some of the knees; a patient's are never in two places.
#[derive(Clone, Debug, Serialize)]
pub struct FoldRow {
    /// What they are called, such as "fold 1" or "gold".
    pub name: String,
    /// How many.
    pub knees: u64,
    /// Of how many patients.
    pub patients: u64,
    /// How many of each grade.
    pub grades: [u64; GRADES],
}

/// The table of them, and each row's make-up.
pub(super) fn section(data: &Data) -> Markup {
    html! {
        p { (counted(data.knees, "knee")) " of " (counted(data.patients, "patient")) ". " (data.source) }
        div.wide tabindex="0" role="region" aria-label="Knees by fold and grade" {
            table {
                thead {
                    tr {
                        th scope="col" { "Knees" } th.n scope="col" { "All" } th.n scope="col" { "Patients" }
                        @for grade in KlGrade::ALL { th.n scope="col" { (swatch(grade)) (kl(grade)) } }
                        th.bar scope="col" { "Make-up" }
                    }
                }
                tbody {
                    @for row in &data.folds {
                        tr {
                            th scope="row" { (row.name) } td.n { (count(row.knees)) } td.n { (count(row.patients)) }
                            @for knees in row.grades { td.n { (count(knees)) } }
                            td.bar { (make_up(&row.grades)) }
                        }
                    }
                }
            }
        }
        p.small {
            @if data.nameless == 0 {
                "All knees of a patient are in one row, and those without a patient's ID go by their study: here no network learnt from a \
                 patient whose row it left out."
            } @else {
                "All knees of a patient are in one row, as far as films tell whose they are: " (count(data.nameless))
                " knees name nobody, and count as patients of their own."
            }
        }
    }
}

/// A grade's colour, before its name.
pub(super) fn swatch(grade: KlGrade) -> Markup {
    html! { i.swatch style={ "background:" (colours::GRADES[grade.index()].variable()) } {} }
}

/// The grades' shares, side by side.
fn make_up(grades: &[u64; GRADES]) -> Markup {
    let all = grades.iter().sum::<u64>().max(1) as f64;
    let share = |knees: u64| 100.0 * knees as f64 / all;
    let before = |grade: usize| share(grades[..grade].iter().sum());
    html! {
        svg aria-hidden="true" {
            @for (grade, knees) in grades.iter().enumerate() {
                rect x={ (format!("{:.2}", before(grade))) "%" } width={ (format!("{:.2}", share(*knees))) "%" } y="0"
                    height="100%" style={ "fill:" (colours::GRADES[grade].variable()) } {}
            }
        }
    }
}
