//! The Grad-CAM picture: the knee, the knee under its map, and what the ensemble says of it in the margin.
//!
//! Nothing is ever written on the anatomy. The map's opacity follows its value, so that bone stays readable where the
//! networks did not look.

mod blend;
mod lettering;
mod palette;
mod png;
mod sheet;

pub use palette::Palette;
pub use png::{PngError, SOFTWARE, png_grey, png_rgb};

use crate::{
    grade::{KlGrade, Probabilities},
    side::Side,
};
use image::{GrayImage, RgbImage};

/// A square saliency map as a network gives it: row by row, 0 (no influence) to 1 (most).
#[derive(Clone, Copy, Debug)]
pub struct MapView<'a> {
    size: u32,
    values: &'a [f32],
}

/// The values of a map do not fill its square.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A saliency map of {size}x{size} needs {} values, not {found}; give all of its rows.", u64::from(*.size).pow(2))]
pub struct WrongMap {
    /// The side of the square, in pixels.
    pub size: u32,
    /// How many values came.
    pub found: usize,
}

impl<'a> MapView<'a> {
    /// Looks at `values` as a square of `size` by `size`.
    pub fn new(size: u32, values: &'a [f32]) -> Result<Self, WrongMap> {
        if size == 0 || u64::from(size).pow(2) != values.len() as u64 {
            return Err(WrongMap { size, found: values.len() });
        }
        Ok(Self { size, values })
    }

    /// The value as a grey level; what is not a number, or out of range, is brought into it.
    fn level(value: f32) -> u8 {
        (value * 255.0).round() as u8 // `as` saturates and takes NaN to 0
    }
}

/// What stands in the margin.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// Which knee.
    pub side: Side,
    /// The ensemble's grade.
    pub grade: KlGrade,
    /// The ensemble's probabilities.
    pub probabilities: &'a Probabilities,
    /// The part of those that voted who said the grade, 0 to 1.
    pub agreement: f32,
    /// How many members voted.
    pub members: usize,
    /// How many members of the release did not vote.
    pub missing: usize,
    /// Whether a human should look at it.
    pub needs_review: bool,
    /// The release's name; shortened where it is too long for its line.
    pub release: &'a str,
}

/// What lies over the radiograph.
#[derive(Clone, Copy, Debug)]
pub enum Layer<'a> {
    /// One map in a palette, its opacity following its value.
    Map(MapView<'a>, Palette),
    /// The mean of the members' pictures: of each, its map in jet and the radiograph, half and half, as the paper shows it.
    Pictures(&'a [MapView<'a>]),
}

/// Draws the picture: the knee at left, the same under its map at right, title above, chart and legend below.
///
/// The knee's longer side is brought to 512..=1024 pixels. A map spans the whole knee, as the networks saw it.
pub fn overlay(knee: &GrayImage, layer: Layer<'_>, caption: &Caption<'_>) -> RgbImage {
    let knee = blend::fit(knee);
    let sheet = sheet::Sheet::new(knee.width(), knee.height());
    let mut picture = sheet.blank();
    blend::lay(&mut picture, sheet.radiograph(), &knee);
    let ink = match layer {
        Layer::Map(map, palette) => {
            blend::lay_under(&mut picture, sheet.overlay(), &knee, map, palette.ink());
            palette.ink()
        }
        Layer::Pictures(maps) => {
            blend::lay_mean(&mut picture, sheet.overlay(), &knee, maps);
            palette::half_jet()
        }
    };
    sheet.letter(&mut picture, ink, caption);
    picture
}

/// The map alone as 8 bit grey, at its own size: 255 is where the grade comes from.
pub fn bare_map(map: MapView<'_>) -> GrayImage {
    let levels: Vec<u8> = map.values.iter().copied().map(MapView::level).collect();
    GrayImage::from_raw(map.size, map.size, levels).expect("MapView::new has counted the values")
}
