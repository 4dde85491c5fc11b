//! Which release the card is of.

use super::Card;
use maud::{Markup, html};
use serde::Serialize;

/// The release.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// SHA-256 of its manifest, where it is already written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When it was made.
    pub created: String,
    /// How its networks' votes make a grade.
    pub vote: String,
    /// What was noted when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What stands at the top of the page.
pub(super) fn header(card: &Card) -> Markup {
    let Release { name, sha256, created, vote, note } = &card.release;
    html! {
        header {
            p.kicker { "Model card" }
            h1 { (name) }
            p.lead {
                "Grades one knee on one radiograph, 0 to 4 on the Kellgren-Lawrence scale, and shows where it looked."
            }
            div.notice role="note" {
                strong { "NOT A MEDICAL DEVICE." }
                " It is not cleared by any authority, it has not been tried in a clinic, and no treatment may rest on \
                 what it says. A radiologist reads the film."
            }
            @if let Some(note) = note { p.note { (note) } }
            dl.facts {
                dt { "Made" } dd { (created) }
                @if !card.members.is_empty() { dt { "Networks" } dd { (card.members.len()) } }
                dt { "Vote" } dd { (vote) }
                @if let Some(sha256) = sha256 { dt { "SHA-256" } dd.digest { (sha256) } }
            }
        }
    }
}
