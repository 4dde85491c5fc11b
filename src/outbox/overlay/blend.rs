//! The knee brought to size, and the map laid over it.

use super::{MapView, palette::Ink};
use image::{
    GrayImage, RgbImage,
    imageops::{FilterType, resize, thumbnail},
};

/// The least and the most pixels of a knee's longer side in the picture.
const LONGER_SIDE: std::ops::RangeInclusive<u32> = 512..=1024;

/// Brings the knee's longer side into [`LONGER_SIDE`] and keeps its proportions.
pub(super) fn fit(knee: &GrayImage) -> GrayImage {
    let (width, height) = (knee.width().max(1), knee.height().max(1));
    let longer = width.max(height);
    let wanted = longer.clamp(*LONGER_SIDE.start(), *LONGER_SIDE.end());
    let scaled = |side: u32| ((f64::from(side) * f64::from(wanted) / f64::from(longer)).round() as u32).max(1);
    let (new_width, new_height) = (scaled(width), scaled(height));
    if knee.is_empty() {
        return GrayImage::new(new_width, new_height);
    }
    match wanted.cmp(&longer) {
        std::cmp::Ordering::Equal => knee.clone(),
        std::cmp::Ordering::Greater => resize(knee, new_width, new_height, FilterType::CatmullRom),
        // every pixel counts once: no aliasing, and ten times as fast as a filter with a wide support
        std::cmp::Ordering::Less => thumbnail(knee, new_width, new_height),
    }
}

/// Copies the knee to a place in the picture.
pub(super) fn lay(picture: &mut RgbImage, (x, y): (u32, u32), knee: &GrayImage) {
    for (row, greys) in knee.as_raw().chunks_exact(knee.width() as usize).enumerate() {
        let pixels = span(picture, x, y + row as u32, knee.width());
        for (pixel, &grey) in pixels.chunks_exact_mut(3).zip(greys) {
            pixel.fill(grey);
        }
    }
}

/// Copies the knee to a place in the picture, under the map stretched over all of it (bilinear, half-pixel centres).
pub(super) fn lay_under(picture: &mut RgbImage, (x, y): (u32, u32), knee: &GrayImage, map: MapView<'_>, ink: &Ink) {
    let size = map.size as usize;
    let columns = taps(knee.width(), map.size);
    let rows = taps(knee.height(), map.size);
    let mut line = vec![0.0; size];
    for ((row, greys), tap) in knee.as_raw().chunks_exact(knee.width() as usize).enumerate().zip(rows) {
        let (above, below) = (&map.values[tap.first * size..][..size], &map.values[tap.second * size..][..size]);
        for (value, (a, b)) in line.iter_mut().zip(above.iter().zip(below)) {
            *value = a + (b - a) * tap.weight;
        }
        let pixels = span(picture, x, y + row as u32, knee.width());
        for ((pixel, &grey), tap) in pixels.chunks_exact_mut(3).zip(greys).zip(&columns) {
            let (a, b) = (line[tap.first], line[tap.second]);
            pixel.copy_from_slice(&ink.over(grey, MapView::level(a + (b - a) * tap.weight)));
        }
    }
}

/// Two neighbours in the map, and how much the second one counts.
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

/// For each of `count` pixels, its two neighbours among `size` values.
fn taps(count: u32, size: u32) -> Vec<Tap> {
    let last = size as usize - 1;
    let step = f64::from(size) / f64::from(count);
    (0..count)
        .map(|i| {
            let at = ((f64::from(i) + 0.5) * step - 0.5).clamp(0.0, last as f64);
            let first = at as usize;
            Tap { first, second: (first + 1).min(last), weight: (at - first as f64) as f32 }
        })
        .collect()
}

/// `width` pixels of one row of the picture, as bytes.
fn span(picture: &mut RgbImage, x: u32, y: u32, width: u32) -> &mut [u8] {
    let from = (y as usize * picture.width() as usize + x as usize) * 3;
    &mut picture.as_flat_samples_mut().samples[from..][..width as usize * 3]
}
