//! Anti-aliased text: measured, kerned, placed on a baseline, shortened where it does not fit.

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use image::RgbImage;
use std::{borrow::Cow, sync::OnceLock};

/// A face at a size; the size is from the highest ascender to the lowest descender, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) face: Face,
    pub(super) size: f32,
}

/// The two faces of the picture.
#[derive(Clone, Copy)]
pub(super) enum Face {
    /// Ubuntu Light: words.
    Text,
    /// Hack: names that a machine made.
    Name,
}

fn font(face: Face) -> &'static FontRef<'static> {
    static FONTS: OnceLock<[FontRef<'static>; 2]> = OnceLock::new();
    let [text, name] = FONTS.get_or_init(|| {
        [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::HACK_REGULAR]
            .map(|bytes| FontRef::try_from_slice(bytes).expect("the fonts are compiled in"))
    });
    match face {
        Face::Text => text,
        Face::Name => name,
    }
}

impl Type {
    /// The glyphs of a text with the place of each, from 0; control characters become spaces.
    fn glyphs(self, text: &str) -> impl Iterator<Item = (f32, GlyphId, f32)> {
        let font = font(self.face).as_scaled(PxScale::from(self.size));
        let mut pen = 0.0;
        let mut before: Option<GlyphId> = None;
        text.chars().map(move |letter| {
            let glyph = font.glyph_id(if letter.is_control() { ' ' } else { letter });
            if let Some(before) = before.replace(glyph) {
                pen += font.kern(before, glyph);
            }
            let at = pen;
            pen += font.h_advance(glyph);
            (at, glyph, pen)
        })
    }

    /// How wide a text will be, in pixels.
    pub(super) fn width(self, text: &str) -> f32 {
        self.glyphs(text).last().map_or(0.0, |(_, _, end)| end)
    }

    /// The text, or as much of its beginning as fits into `room` pixels with an ellipsis.
    pub(super) fn shorten(self, text: &str, room: f32) -> Cow<'_, str> {
        let ellipsis = self.width("\u{2026}");
        let mut keep = 0; // bytes that fit together with an ellipsis
        for ((start, letter), (_, _, end)) in text.char_indices().zip(self.glyphs(text)) {
            if end > room {
                return Cow::Owned(format!("{}\u{2026}", text[..keep].trim_end()));
            }
            if end + ellipsis <= room {
                keep = start + letter.len_utf8();
            }
        }
        Cow::Borrowed(text)
    }

    /// Draws a text from `x` on its baseline `y` and returns where it ends.
    pub(super) fn draw(self, picture: &mut RgbImage, (x, y): (f32, f32), colour: [u8; 3], text: &str) -> f32 {
        let scale = PxScale::from(self.size);
        let mut width = 0.0;
        for (at, glyph, end) in self.glyphs(text) {
            width = end;
            let placed = glyph.with_scale_and_position(scale, point(x + at, y));
            let Some(outline) = font(self.face).outline_glyph(placed) else { continue }; // a space
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| {
                let (px, py) = (corner.x as i64 + i64::from(dx), corner.y as i64 + i64::from(dy));
                dab(picture, px, py, colour, cover);
            });
        }
        x + width
    }

    /// Draws a text that ends at `x`.
    pub(super) fn draw_to(self, picture: &mut RgbImage, (x, y): (f32, f32), colour: [u8; 3], text: &str) {
        self.draw(picture, (x - self.width(text), y), colour, text);
    }
}

/// Draws a bar with round ends from `x0` to `x1` at the height `y`; with both the same, a disc.
pub(super) fn bar(picture: &mut RgbImage, (x0, x1): (f32, f32), y: f32, radius: f32, colour: [u8; 3]) {
    let x1 = x1.max(x0);
    for py in (y - radius - 1.0) as i64..=(y + radius + 1.0) as i64 {
        for px in (x0 - radius - 1.0) as i64..=(x1 + radius + 1.0) as i64 {
            let (cx, cy) = (px as f32 + 0.5, py as f32 + 0.5);
            let distance = (cx - cx.clamp(x0, x1)).hypot(cy - y);
            dab(picture, px, py, colour, radius - distance + 0.5);
        }
    }
}

/// Covers a part (0..=1) of a pixel with a colour; outside of the picture nothing happens.
fn dab(picture: &mut RgbImage, x: i64, y: i64, colour: [u8; 3], cover: f32) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    let Some(pixel) = picture.get_pixel_mut_checked(x, y) else { return };
    let cover = cover.clamp(0.0, 1.0);
    for (old, new) in pixel.0.iter_mut().zip(colour) {
        let (from, to) = (f32::from(*old), f32::from(new));
        *old = (from + (to - from) * cover).round() as u8;
    }
}
