//! Stored values to the grey that a reader sees: the grayscale pipeline of PS3.4 N.2.

use super::data_set::DataSet;
use super::image_pixel::{ImagePixel, Photometric};
use super::modality::Modality;
use super::voi::Voi;
use crate::radiograph::Refusal;
use dicom_dictionary_std::tags;

/// Modality LUT, VOI LUT, inversion, all in one table over the stored values: at most 65,536 entries for any film.
pub(super) fn table(data_set: &DataSet, pixel: &ImagePixel, stored: &[u16]) -> Result<Vec<u8>, Refusal> {
    if pixel.samples > 1 {
        // Neither module applies to colour (PS3.3 C.11.1, C.11.2).
        let full = u32::from(pixel.mask());
        return Ok((0..=full).map(|luma| ((luma * 255 + full / 2) / full) as u8).collect());
    }
    let modality = Modality::read(data_set, pixel)?;
    let output = |stored: u16| modality.apply(pixel.value(stored));
    let voi = match Voi::read(data_set, modality.is_signed(pixel))? {
        Some(voi) => voi,
        None => spread(data_set, pixel, stored, output),
    };
    let invert = pixel.photometric == Photometric::Monochrome1
        || data_set.text(tags::PRESENTATION_LUT_SHAPE).as_deref() == Some("INVERSE");
    Ok((0..=pixel.mask())
        .map(|stored| (voi.apply(output(stored)) * 255.0).round() as u8)
        .map(|grey| if invert { 255 - grey } else { grey })
        .collect())
}

/// Lowest to highest value of the film proper: what Pixel Padding Value marks is no part of it (PS3.3 C.7.5.1.1.2).
fn spread(data_set: &DataSet, pixel: &ImagePixel, stored: &[u16], output: impl Fn(u16) -> f64) -> Voi {
    let padding = data_set.word(tags::PIXEL_PADDING_VALUE).map(|value| {
        let limit = data_set.word(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
        let (one, other) = (pixel.value(value & pixel.mask()), pixel.value(limit & pixel.mask()));
        one.min(other)..=one.max(other)
    });
    let mut present = vec![false; usize::from(pixel.mask()) + 1];
    for value in stored {
        present[usize::from(*value)] = true;
    }
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in (0..=pixel.mask()).filter(|value| present[usize::from(*value)]) {
        if padding.as_ref().is_none_or(|padding| !padding.contains(&pixel.value(value))) {
            low = low.min(output(value));
            high = high.max(output(value));
        }
    }
    Voi::Spread { low, high }
}
