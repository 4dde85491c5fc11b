//! What a file's name says where the file has no tags.

use crate::side::Side;

/// The side that the name of a file, without folder and extension, ends in: `9001695L`, `knee_R`, `case-12-left`.
///
/// A single letter counts only after a digit or a separator, so that `skull` and `other` say nothing.
pub fn side_from_name(stem: &str) -> Side {
    let stem = stem.trim_end().to_ascii_lowercase();
    let ends = |suffix: &str, may_precede: fn(char) -> bool| {
        stem.strip_suffix(suffix).is_some_and(|rest| rest.chars().next_back().is_none_or(may_precede))
    };
    let after_letter = |suffix| ends(suffix, |before| before.is_ascii_digit() || !before.is_alphanumeric());
    if after_letter("l") || after_letter("left") {
        Side::Left
    } else if after_letter("r") || after_letter("right") {
        Side::Right
    } else {
        Side::Unknown
    }
}
