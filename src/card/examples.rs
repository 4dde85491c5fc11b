//! Knees, and where the networks looked.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use maud::{Markup, html};
use serde::Serialize;

/// One knee's picture.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// What it shows: what the reader says, and what was answered.
    pub caption: String,
    /// The radiograph with its map, a PNG; too large for `card.json`.
    #[serde(skip)]
    pub png: Vec<u8>,
}

/// The pictures side by side.
pub(super) fn section(examples: &[Example]) -> Markup {
    html! {
        p {
            "Warm colours lie where the networks found most for the grade they gave (Grad-CAM). It shows where they \
             looked, not why, and not that they are right."
        }
        div.pictures {
            @for Example { caption, png } in examples {
                figure {
                    img alt={ "Radiograph with map: " (caption) }
                        src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) };
                    figcaption { (caption) }
                }
            }
        }
    }
}
