//! What was answered for what the reader said, as a table whose cells are the deeper the more of a row they hold.

use super::words::{count, kl};
use crate::evaluation::Confusion;
use crate::grade::{GRADES, KlGrade};
use maud::{Markup, html};

/// The counts, and each one's share of its row.
pub(super) fn figure(confusion: &Confusion) -> Markup {
    html! {
        figure {
            figcaption { "Answers by the reader's grade: knees, and their share of the row" }
            table.heat {
                thead {
                    tr { td {} th scope="colgroup" colspan=(GRADES) { "Answer" } }
                    tr { th scope="col" { "Reader" } @for grade in KlGrade::ALL { th scope="col" { (kl(grade)) } } }
                }
                tbody {
                    @for grade in KlGrade::ALL {
                        tr {
                            th scope="row" { (kl(grade)) }
                            @let of = confusion.of_truth(grade.index());
                            @for knees in confusion.0[grade.index()] { (cell(knees, of)) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(knees: u64, of: u64) -> Markup {
    if knees == 0 {
        return html! { td.none { "0" } };
    }
    let share = knees as f64 / of as f64;
    let percent = if share <= 0.005 { "<1".to_owned() } else { format!("{:.0}", 100.0 * share) };
    html! {
        td style={ "--share:" (format!("{share:.3}")) } { (count(knees)) br; span { (percent) "\u{a0}%" } }
    }
}
