//! What the release is for, and what nobody may expect of it.

use super::results::Results;
use super::words::{kl, percent};
use crate::evaluation::OfGrade;
use maud::{Markup, html};

/// The same for all releases, but for the grade that this one finds least.
pub(super) fn section(results: &[Results]) -> Markup {
    html! {
        p {
            "For sorting archives and for research in which somebody checks a sample by hand. Not for diagnosis, not \
             for deciding who is treated or operated on, and not for films of other joints, lateral or skyline views, \
             knees with an implant, or children."
        }
        ul {
            li {
                "The reference is a human reader's grade. Readers often disagree by one grade, most of all about 0, 1 \
                 and 2; to agree with one of them is not to be right."
            }
            @if let Some(OfGrade { grade, recall, .. }) = least_found(results) {
                li {
                    strong { (kl(*grade)) " (" (grade.meaning()) ") is found least:" }
                    " " (percent(*recall)) " of its knees."
                }
            }
            li {
                "All numbers hold for films like those they were measured on. Other projections, detectors, \
                 populations and crops are unknown ground: measure it on films of your own before you rely on it."
            }
            li { "An interval tells what chance may do with the patients at hand. It knows nothing of other clinics." }
            li { "It answers whatever it is shown: a picture that is not a knee gets a grade, too." }
        }
    }
}

/// By the ensemble, on the first knees.
fn least_found(results: &[Results]) -> Option<&OfGrade> {
    let grades = &results.first()?.voters.first()?.scores.grades;
    let told = grades.iter().filter_map(|of| Some((of, of.recall?)));
    told.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(of, _)| of)
}
