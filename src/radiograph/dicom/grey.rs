//! Stored values to the grey that a reader sees: the grayscale pipeline of PS3.4 N.2.

use super::data_set::DataSet;
use super::image_pixel::{ImagePixel, Photometric};
use super::modality::Modality;
use super::voi::Voi;
use crate::radiograph::Refusal;
use dicom_dictionary_std::tags;
use std::ops::RangeInclusive;

/// Of so many pixels one may be darker and one brighter than a film without a window, where they would stretch its range by half and
/// more: dead ones of the detector, letters that are burned in.
const STRAY: usize = 1000;
const STRETCHED: f64 = 1.5;

/// More of a film than this is not black, and not white.
const DROWNED: f64 = 0.97;

/// Modality LUT, VOI LUT, inversion, all in one table over the stored values: at most 65,536 entries for any film. What is padding is
/// black, as beside the film.
///
/// Photometric Interpretation alone says which end is white. Presentation LUT Shape can only say it again (PS3.3 C.8.11.3.1.2); where it
/// says otherwise, most viewers do not heed it.
pub(super) fn table(data_set: &DataSet, pixel: &ImagePixel, stored: &[u16]) -> Result<Vec<u8>, Refusal> {
    if pixel.samples > 1 {
        // Neither module applies to colour (PS3.3 C.11.1, C.11.2).
        let full = u32::from(pixel.mask());
        return Ok((0..=full).map(|luma| ((luma * 255 + full / 2) / full) as u8).collect());
    }
    let modality = Modality::read(data_set, pixel)?;
    let output = |stored: u16| modality.apply(pixel.value(stored));
    let padding = padding(data_set, pixel);
    let is_padding = |stored: u16| padding.as_ref().is_some_and(|padding| padding.contains(&pixel.value(stored)));
    let mut counts = vec![0; usize::from(pixel.mask()) + 1];
    stored.iter().for_each(|value| counts[usize::from(*value)] += 1);
    // the values of the film proper, and how many pixels have each
    let of_film = (0..=pixel.mask()).zip(counts).filter(|(value, count)| *count > 0 && !is_padding(*value));
    let film: Vec<(f64, usize)> = of_film.map(|(value, count)| (output(value), count)).collect();
    let voi = match Voi::read(data_set, modality.is_signed(pixel))? {
        Some(voi) if !drowns(&voi, &film) => voi,
        _ => spread(film),
    };
    let grey = |stored: u16| {
        let grey = (voi.apply(output(stored)) * 255.0).round() as u8;
        if pixel.photometric == Photometric::Monochrome1 { 255 - grey } else { grey }
    };
    Ok((0..=pixel.mask()).map(|stored| if is_padding(stored) { 0 } else { grey(stored) }).collect())
}

/// Whether a window leaves next to nothing of the film: it was made for other values, as one of 8 bits that a converter has left beside
/// 12. A reader would turn it until something is seen. Where nothing at all is left, the film is refused as blank.
fn drowns(voi: &Voi, film: &[(f64, usize)]) -> bool {
    let count = |is: &dyn Fn(f64) -> bool| -> usize {
        film.iter().filter(|(value, _)| is(voi.apply(*value))).map(|(_, count)| count).sum()
    };
    let (all, most) = (count(&|_| true), count(&|part| part <= 0.0).max(count(&|part| part >= 1.0)));
    most < all && most as f64 > DROWNED * all as f64
}

/// What Pixel Padding Value marks is no part of the film (PS3.3 C.7.5.1.1.2). One that no pixel can have marks nothing.
fn padding(data_set: &DataSet, pixel: &ImagePixel) -> Option<RangeInclusive<i32>> {
    let value = data_set.word(tags::PIXEL_PADDING_VALUE)?;
    let limit = data_set.word(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    let (one, other) = match pixel.signed {
        true => (pixel.value(value & pixel.mask()), pixel.value(limit & pixel.mask())),
        false => (value.into(), limit.into()),
    };
    Some(one.min(other)..=one.max(other))
}

/// Lowest to highest value of the film proper, but for strays.
fn spread(mut values: Vec<(f64, usize)>) -> Voi {
    values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let strays = values.iter().map(|(_, count)| count).sum::<usize>() / STRAY;
    let range = |strays| {
        let low = beyond(values.iter(), strays).unwrap_or(f64::INFINITY);
        (low, beyond(values.iter().rev(), strays).unwrap_or(f64::NEG_INFINITY))
    };
    let (all, film) = (range(0), range(strays));
    let (low, high) = if all.1 - all.0 > STRETCHED * (film.1 - film.0) { film } else { all };
    Voi::Spread { low, high }
}

/// The first value that is not among so many at the beginning.
fn beyond<'a>(mut values: impl Iterator<Item = &'a (f64, usize)>, strays: usize) -> Option<f64> {
    let mut passed = 0;
    values
        .find(|(_, count)| {
            passed += count;
            passed > strays
        })
        .map(|(value, _)| *value)
}
