//! The digest as a page. Mail programs know little of what browsers do: one column, tables, a style sheet in the head.

use super::Digest;
use super::block::{Block, Section, Table};
use crate::card::words::count;
use crate::mail::state_option;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a digest ends with.
pub(super) fn foot(digest: &Digest) -> String {
    let option = state_option(&digest.state);
    format!(
        "Written by kellgrend; nobody reads answers. [mail] in kellgrend.toml says to whom and when. {option} Not a medical device; not \
         for diagnosis."
    )
}

/// What a reader wants to know first.
pub(super) fn glance(digest: &Digest) -> Vec<(&'static str, String)> {
    let figures = &digest.figures;
    let quarantined: u64 = figures.quarantined.iter().map(|(_, files)| files).sum();
    let told = [
        ("Radiographs", Some(figures.published)),
        ("Knees", Some(digest.knees())),
        ("Quarantined", Some(quarantined)),
        ("To review", figures.needs_review),
        ("In work now", (figures.in_work > 0).then_some(figures.in_work)),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name, count(value?)))).collect()
}

/// The page.
pub(super) fn of(digest: &Digest, sections: &[Section]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                title { (digest.subject()) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                div.page {
                    p.kicker { "kellgrend on " (digest.host) }
                    h1 { (digest.subject()) }
                    p.quiet {
                        (digest.span())
                        @if let Some(release) = &digest.figures.release { " \u{b7} release " (release) }
                    }
                    table.glance role="presentation" {
                        tr { @for (name, value) in glance(digest) { td { b { (value) } br; span { (name) } } } }
                    }
                    @for section in sections { (part(section)) }
                    p.foot { (foot(digest)) }
                }
            }
        }
    }
}

fn part(Section { title, blocks }: &Section) -> Markup {
    html! {
        h2 { (title) }
        @for block in blocks {
            @match block {
                Block::Line(line) => p { (coded(line)) },
                Block::Table(table) => (rows(table)),
                Block::Picture(picture) => {
                    img src={ "cid:" (picture.id) } alt=(picture.alt) width=(picture.width);
                }
            }
        }
    }
}

fn rows(Table { head, rows }: &Table) -> Markup {
    html! {
        table.numbers {
            thead { tr { @for name in head { th scope="col" { (name) } } } }
            tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
        }
    }
}

/// What stands between backticks is for a terminal.
fn coded(line: &str) -> Markup {
    html! {
        @for (place, piece) in line.split('`').enumerate() {
            @if place % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}
