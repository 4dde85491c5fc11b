//! The page: everything in one file that asks for nothing.

use super::results::{Results, Voter};
use super::words::{between, number, percent, percent_between};
use super::{Card, colours, comparison, data, examples, learning, limits, members, release, results, review, subsets};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A reader's browser may draw what is in the page, and must not fetch or run anything.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A chapter.
struct Section {
    id: String,
    title: String,
    body: Markup,
}

/// The card as a page.
pub(super) fn of(card: &Card) -> Markup {
    let sections = sections(card);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (card.release.name) " \u{2013} model card" }
                style { (style()) }
            }
            body {
                main {
                    (release::header(card))
                    @if let Some(results) = card.results.first() { (glance(results)) }
                    nav aria-label="Contents" {
                        ul { @for Section { id, title, .. } in &sections { li { a href={ "#" (id) } { (title) } } } }
                    }
                    @for Section { id, title, body } in &sections {
                        section id=(id) { h2 { (title) } (body) }
                    }
                    footer { "kellgrend " (env!("CARGO_PKG_VERSION")) ". " (super::NOTICE) }
                }
            }
        }
    }
}

/// The style sheet of cards, and of the daemon's page.
pub fn style() -> Markup {
    html! { (colours::style()) (PreEscaped(include_str!("card.css"))) }
}

/// What a reader wants to know first: what it is for, then how good it is; how it was made comes last.
fn sections(card: &Card) -> Vec<Section> {
    let results = (1..).zip(&card.results).map(|(place, results)| {
        let title = format!("How well it grades: {}", results.on);
        (format!("results-{place}"), title, results::section(results))
    });
    let others = [
        ("comparison", "Against the release before", card.comparison.as_ref().map(comparison::section)),
        ("review", "Knees to read again", card.review.as_ref().map(review::section)),
        ("examples", "Where it looks", filled(&card.examples).map(examples::section)),
        ("networks", "Networks", filled(&card.members).map(members::section)),
        ("data", "What they learnt from", card.data.as_ref().map(data::section)),
        ("recipe", "Recipe", filled(&card.recipe).map(recipe)),
        ("learning", "How learning went", filled(&card.curves).map(learning::section)),
        ("combinations", "Who votes", filled(&card.subsets).map(subsets::section)),
    ];
    let limits = ("limits".to_owned(), "Use and limits".to_owned(), Some(limits::section(&card.results)));
    let others = others.map(|(id, title, body)| (id.to_owned(), title.to_owned(), body));
    let all = std::iter::once(limits).chain(results).chain(others);
    all.filter_map(|(id, title, body)| Some(Section { id, title, body: body? })).collect()
}

fn filled<T>(of: &[T]) -> Option<&[T]> {
    (!of.is_empty()).then_some(of)
}

/// The ensemble's scores on the first knees.
fn glance(Results { on, voters, .. }: &Results) -> Markup {
    let Some(Voter { scores, intervals, .. }) = voters.first() else { return html! {} };
    let told = [
        ("Accuracy", percent(scores.accuracy), percent_between(intervals.accuracy)),
        ("Quadratic kappa", number(scores.quadratic_kappa), between(intervals.quadratic_kappa)),
        ("Macro F1", number(scores.macro_f1), between(intervals.macro_f1)),
    ];
    html! {
        figure.glance {
            dl {
                @for (name, value, range) in told { div { dt { (name) } dd { b { (value) } span { (range) } } } }
            }
            figcaption { "The ensemble on " (on) "; below each number its 95 % interval" }
        }
    }
}

fn recipe(settings: &[(String, String)]) -> Markup {
    html! {
        dl.settings { @for (setting, value) in settings { div { dt { (setting) } dd { (value) } } } }
    }
}
