//! The Display Shutter module (PS3.3 C.7.6.11), where it is a rectangle: what lies outside of it is no part of the film.

use super::data_set::DataSet;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use image::{GrayImage, Luma};

/// One that leaves less than this of the film is a mistake.
const LEAST: f64 = 0.1;

/// Makes black what the shutter covers.
pub(super) fn close(data_set: &DataSet, picture: &mut GrayImage) {
    let is_rectangle = data_set.text(tags::SHUTTER_SHAPE).is_some_and(|shape| shape.contains("RECTANGULAR"));
    // the first and last column and row that are seen, counted from 1
    let edge = |tag: Tag| data_set.numbers(tag).first().copied();
    let edges = || {
        let columns = edge(tags::SHUTTER_LEFT_VERTICAL_EDGE)?..=edge(tags::SHUTTER_RIGHT_VERTICAL_EDGE)?;
        let rows = edge(tags::SHUTTER_UPPER_HORIZONTAL_EDGE)?..=edge(tags::SHUTTER_LOWER_HORIZONTAL_EDGE)?;
        Some((columns, rows))
    };
    let Some((columns, rows)) = edges().filter(|_| is_rectangle) else { return };
    let seen = |range: &std::ops::RangeInclusive<f64>, all: u32| {
        (range.end().min(f64::from(all)) - range.start().max(1.0) + 1.0).max(0.0) / f64::from(all)
    };
    if seen(&columns, picture.width()) * seen(&rows, picture.height()) < LEAST {
        return;
    }
    for (x, y, grey) in picture.enumerate_pixels_mut() {
        if !columns.contains(&f64::from(x + 1)) || !rows.contains(&f64::from(y + 1)) {
            *grey = Luma([0]);
        }
    }
}
