//! The Display Shutter module (PS3.3 C.7.6.11): what lies outside of it is no part of the film.

use super::data_set::DataSet;
use dicom_dictionary_std::tags;
use std::ops::Range;

/// One that leaves less than this of the film is a mistake.
const LEAST: f64 = 0.1;

/// The columns and rows that are seen: all within the rectangle, and within the least ones that hold a circle or polygon, whose corners
/// are kept. All of them without a shutter.
pub(super) fn seen(data_set: &DataSet, columns: u16, rows: u16) -> (Range<usize>, Range<usize>) {
    let all = (0..usize::from(columns), 0..usize::from(rows));
    let shapes = data_set.text(tags::SHUTTER_SHAPE).unwrap_or_default();
    let (mut across, mut down) = all.clone();
    for shape in shapes.split('\\') {
        let edges = match shape.trim() {
            "RECTANGULAR" => rectangle(data_set),
            "CIRCULAR" => circle(data_set),
            "POLYGONAL" => polygon(data_set),
            _ => None,
        };
        if let Some([left, right, upper, lower]) = edges {
            across = within(&across, left, right);
            down = within(&down, upper, lower);
        }
    }
    let left = across.len() as f64 * down.len() as f64;
    if left < LEAST * f64::from(columns) * f64::from(rows) { all } else { (across, down) }
}

/// From and to which column or row, counted from 1, something is seen.
fn within(range: &Range<usize>, first: f64, last: f64) -> Range<usize> {
    range.start.max((first - 1.0).max(0.0) as usize)..range.end.min(last.max(0.0) as usize)
}

/// First and last column, first and last row.
fn rectangle(data_set: &DataSet) -> Option<[f64; 4]> {
    let [left, right, upper, lower] = [
        tags::SHUTTER_LEFT_VERTICAL_EDGE,
        tags::SHUTTER_RIGHT_VERTICAL_EDGE,
        tags::SHUTTER_UPPER_HORIZONTAL_EDGE,
        tags::SHUTTER_LOWER_HORIZONTAL_EDGE,
    ]
    .map(|tag| data_set.numbers(tag).first().copied());
    Some([left?, right?, upper?, lower?])
}

fn circle(data_set: &DataSet) -> Option<[f64; 4]> {
    let [row, column] = <[f64; 2]>::try_from(data_set.numbers(tags::CENTER_OF_CIRCULAR_SHUTTER)).ok()?;
    let radius = data_set.numbers(tags::RADIUS_OF_CIRCULAR_SHUTTER).first().copied()?;
    Some([column - radius, column + radius, row - radius, row + radius])
}

fn polygon(data_set: &DataSet) -> Option<[f64; 4]> {
    // row and column of each corner in turn
    let corners = data_set.numbers(tags::VERTICES_OF_THE_POLYGONAL_SHUTTER);
    let span = |first: usize| {
        let of = || corners.iter().skip(first).step_by(2).copied();
        Some((of().reduce(f64::min)?, of().reduce(f64::max)?))
    };
    let ((upper, lower), (left, right)) = (span(0)?, span(1)?);
    Some([left, right, upper, lower])
}
