//! The lead letter that a radiographer puts on the cassette.

use super::{Picture, exposure::Film};
use crate::side::Side;
use ab_glyph::{Font, FontRef, PxScale, point};

/// Height of the letter's line, in millimetres.
const HEIGHT: f32 = 11.0;
/// What the film shows under lead.
const LEAD: f32 = 3900.0;

/// Lays an L or R with its middle at a place in millimetres from the film's middle; no letter for an unknown side.
pub(super) fn lay(picture: &mut Picture, film: Film, side: Side, (x, y): (f32, f32)) {
    let letter = match side {
        Side::Left => 'L',
        Side::Right => 'R',
        Side::Unknown => return,
    };
    let font = FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR).expect("the font is compiled in");
    let glyph = font.glyph_id(letter).with_scale_and_position(PxScale::from(HEIGHT / film.spacing), point(0.0, 0.0));
    let outline = font.outline_glyph(glyph).expect("the font has the letters L and R");
    let bounds = outline.px_bounds();
    let left = film.width as f32 / 2.0 + x / film.spacing - bounds.width() / 2.0;
    let top = film.height as f32 / 2.0 + y / film.spacing - bounds.height() / 2.0;
    outline.draw(|dx, dy, cover| {
        if let Some(pixel) = picture.get_pixel_mut_checked(left as u32 + dx, top as u32 + dy) {
            let value = f32::from(pixel.0[0]);
            pixel.0[0] = (value + (LEAD - value).max(0.0) * cover.clamp(0.0, 1.0)) as u16;
        }
    });
}
