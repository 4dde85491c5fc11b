//! The knee brought to size, and the map laid over it.

use super::{
    MapView,
    palette::{Ink, half_jet},
};
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

/// Lays the knee under a map.
pub(super) fn lay_under(picture: &mut RgbImage, (x, y): (u32, u32), knee: &GrayImage, map: MapView<'_>, ink: &Ink) {
    let places = Places::new(knee, map.size);
    let mut levels = Vec::new();
    for (row, greys) in knee.as_raw().chunks_exact(knee.width() as usize).enumerate() {
        places.levels(map, row, &mut levels);
        let pixels = span(picture, x, y + row as u32, knee.width());
        for ((pixel, &grey), &level) in pixels.chunks_exact_mut(3).zip(greys).zip(&levels) {
            pixel.copy_from_slice(&ink.over(grey, level));
        }
    }
}

/// Lays the knee under each of some maps, as pytorch-grad-cam's `show_cam_on_image` does, and the mean of these pictures
/// down: each is half jet and half radiograph, brightened until its brightest colour is full.
pub(super) fn lay_mean(picture: &mut RgbImage, (x, y): (u32, u32), knee: &GrayImage, maps: &[MapView<'_>]) {
    let width = knee.width() as usize;
    let mut sums = vec![0.0; knee.as_raw().len() * 3];
    for &map in maps {
        let places = Places::new(knee, map.size);
        let (mut levels, mut colours) = (Vec::new(), Vec::with_capacity(sums.len()));
        for (row, greys) in knee.as_raw().chunks_exact(width).enumerate() {
            places.levels(map, row, &mut levels);
            colours.extend(greys.iter().zip(&levels).flat_map(|(&grey, &level)| half_jet().over(grey, level)));
        }
        let brightest = f32::from(colours.iter().copied().max().unwrap_or_default().max(1));
        sums.iter_mut().zip(colours).for_each(|(sum, colour)| *sum += 255.0 * f32::from(colour) / brightest);
    }
    for (row, sums) in sums.chunks_exact(width * 3).enumerate() {
        let pixels = span(picture, x, y + row as u32, knee.width());
        pixels.iter_mut().zip(sums).for_each(|(pixel, sum)| *pixel = (sum / maps.len() as f32).round() as u8);
    }
}

/// Where a map's values stand for the knee's pixels.
struct Places {
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

impl Places {
    fn new(knee: &GrayImage, size: u32) -> Self {
        Self { columns: taps(knee.width(), size), rows: taps(knee.height(), size) }
    }

    /// The map's values, 0 to 255, at one row of the knee's pixels; bilinear.
    fn levels(&self, map: MapView<'_>, row: usize, levels: &mut Vec<u8>) {
        let (size, tap) = (map.size as usize, &self.rows[row]);
        let (above, below) = (&map.values[tap.first * size..][..size], &map.values[tap.second * size..][..size]);
        let line: Vec<f32> = above.iter().zip(below).map(|(a, b)| a + (b - a) * tap.weight).collect();
        levels.clear();
        levels.extend(self.columns.iter().map(|tap| {
            let (a, b) = (line[tap.first], line[tap.second]);
            MapView::level(a + (b - a) * tap.weight)
        }));
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
