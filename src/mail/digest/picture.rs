//! A plot as a PNG: mail programs draw no SVG.

use crate::card::plot::FINE;
use epaint_default_fonts::UBUNTU_LIGHT;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::sync::Arc;

/// Pixels to a point: sharp where a page is enlarged, and on fine screens.
const SHARPNESS: u32 = 2;

/// A picture in a page.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its Content-ID.
    pub id: &'static str,
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// Its width in points.
    pub width: u32,
    /// The picture.
    pub png: Vec<u8>,
}

impl Picture {
    /// Of a plot; none where it cannot be drawn, which leaves the numbers.
    pub fn of(id: &'static str, alt: String, (width, height): (u32, u32), svg: &str) -> Option<Self> {
        let mut options = Options::default();
        let fonts = Arc::make_mut(&mut options.fontdb);
        fonts.load_font_data(UBUNTU_LIGHT.to_vec());
        let family = fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()))?;
        fonts.set_sans_serif_family(family);
        let tree = Tree::from_str(svg, &options).ok()?;
        let mut pixels = Pixmap::new(width * SHARPNESS, height * SHARPNESS)?;
        // on its own paper, so that it can be read on dark ground, too
        pixels.fill(Color::WHITE);
        let scale = SHARPNESS as f32 / FINE as f32;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        Some(Self { id, alt, width, png: pixels.encode_png().ok()? })
    }
}
