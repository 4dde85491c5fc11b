//! What a file's name says where the file has no tags.

use crate::side::Side;

/// Words that name both sides.
const BOTH: [&str; 3] = ["both", "bilateral", "bilat"];

/// So many noughts or nines fill a field of which nothing is known.
const FILLED: usize = 4;

/// The side that the name of a file, without folder and extension, ends in: `9001695L`, `knee_R`, `case-12-left`.
///
/// A single letter counts only after a digit or a separator, so that `skull` and `other` say nothing. Who names both sides, as
/// `9001_R_L` and `left_knee_R` do, says neither.
pub fn side_from_name(stem: &str) -> Side {
    let (rest, side) = split(stem);
    let names_other = rest.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let other = split(word).1;
        other != Side::Unknown && other != side || BOTH.iter().any(|both| word.eq_ignore_ascii_case(both))
    });
    if names_other { Side::Unknown } else { side }
}

/// What such a name says before the side, as in `9001695` of `9001695L` and `9001695R`: with many collections, the patient. Words
/// without a number are nobody's: `knee` in `knee_L`.
pub fn patient_from_name(stem: &str) -> Option<&str> {
    let patient = split(stem).0;
    (side_from_name(stem) != Side::Unknown && names_somebody(patient)).then_some(patient)
}

/// Whether words may be a patient's: there is a number in them.
pub fn names_somebody(words: &str) -> bool {
    words.contains(|c: char| c.is_ascii_digit())
}

/// Whether a patient ID may be a patient's: it does not stand for none, as ANONYMOUS, 0000 and 9999 do.
pub fn is_somebodys(id: &str) -> bool {
    let is_filled = |with: u8| id.len() >= FILLED && id.bytes().all(|digit| digit == with);
    names_somebody(id) && !is_filled(b'0') && !is_filled(b'9')
}

fn split(stem: &str) -> (&str, Side) {
    let stem = stem.trim_end();
    for (suffix, side) in [("left", Side::Left), ("right", Side::Right), ("l", Side::Left), ("r", Side::Right)] {
        let Some((rest, end)) = stem.len().checked_sub(suffix.len()).and_then(|at| stem.split_at_checked(at)) else {
            continue;
        };
        let may_precede = |before: char| before.is_ascii_digit() || !before.is_alphanumeric();
        if end.eq_ignore_ascii_case(suffix) && rest.chars().next_back().is_none_or(may_precede) {
            return (rest.trim_end_matches(|c: char| !c.is_alphanumeric()), side);
        }
    }
    (stem, Side::Unknown)
}
