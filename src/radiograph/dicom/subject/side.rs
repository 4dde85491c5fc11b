//! Which knee is on the film, or that both are.

use super::super::data_set::DataSet;
use super::view;
use super::words::{BESIDE, meaning, words, words_of};
use crate::radiograph::Laterality;
use crate::side::Side;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// What a tag may say.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    One(Side),
    Both,
}

/// A side in words; of one letter only in a tag that has little else in it.
const LEFT: [&str; 5] = ["L", "LT", "LEFT", "LINKS", "GAUCHE"];
const RIGHT: [&str; 6] = ["R", "RT", "RIGHT", "RECHTS", "DROIT", "DROITE"];

/// Codes of a side (PS3.16 CID 244), in SNOMED CT and in SNOMED RT before it.
const CODES: [(&str, Said); 6] = [
    ("7771000", Said::One(Side::Left)),
    ("G-A101", Said::One(Side::Left)),
    ("24028007", Said::One(Side::Right)),
    ("G-A100", Said::One(Side::Right)),
    ("51440002", Said::Both),
    ("G-A102", Said::Both),
];

/// What is seen of a film has room for two knees side by side where it is so much wider than high.
const WIDE: f64 = 1.15;

/// The image's own laterality, else the series', of which a film of both knees may be one; unknown where another tag names the other
/// knee. Where neither says anything, view or body part may say that both are on it, and the codes and descriptions of a wide film;
/// and body part, codes and descriptions, which knee it is.
pub(super) fn laterality(data_set: &DataSet, (columns, rows): (u32, u32)) -> Laterality {
    let (image, series) = (of_tag(data_set, tags::IMAGE_LATERALITY), of_tag(data_set, tags::LATERALITY));
    let part = in_words(&words_of(data_set, tags::BODY_PART_EXAMINED), 1);
    let modifier = modifier(data_set);
    let beside = in_words(&BESIDE.iter().flat_map(|tag| words_of(data_set, *tag)).collect::<Vec<_>>(), 2);
    match image.or(series) {
        Some(Said::Both) => view::both(data_set),
        Some(Said::One(side)) => {
            let is_other = |said: &Said| matches!(said, Said::One(other) if *other != side);
            let others = [series, part, modifier, beside];
            Laterality::Knee(if others.iter().flatten().any(is_other) { Side::Unknown } else { side })
        }
        None => {
            let told = [in_words(&words_of(data_set, tags::VIEW_POSITION), 1), part];
            let coded = meaning(data_set, tags::VIEW_CODE_SEQUENCE).and_then(|view| in_words(&words(&view), 2));
            let is_wide = f64::from(columns) >= WIDE * f64::from(rows);
            let one = |said: &Said| matches!(said, Said::One(_));
            if told.contains(&Some(Said::Both)) {
                return view::both(data_set);
            }
            let sides: Vec<Said> = [part, modifier, beside].into_iter().flatten().filter(one).collect();
            match sides[..] {
                [] if is_wide && [coded, modifier, beside, plural(data_set)].contains(&Some(Said::Both)) => {
                    view::both(data_set)
                }
                [Said::One(side), ref rest @ ..] if rest.iter().all(|said| *said == Said::One(side)) => {
                    Laterality::Knee(side)
                }
                _ => Laterality::Knee(Side::Unknown),
            }
        }
    }
}

fn of_tag(data_set: &DataSet, tag: Tag) -> Option<Said> {
    match data_set.text(tag)?.to_uppercase().as_str() {
        "L" | "LT" | "LEFT" => Some(Said::One(Side::Left)),
        "R" | "RT" | "RIGHT" => Some(Said::One(Side::Right)),
        "B" | "BOTH" | "BILATERAL" | "R\\L" | "L\\R" => Some(Said::Both),
        _ => None,
    }
}

/// Whether a word names a side, or both.
pub(super) fn names_side(word: &str) -> bool {
    LEFT.contains(&word) || RIGHT.contains(&word) || names_both(word)
}

fn names_both(word: &str) -> bool {
    word == "BOTH" || word.starts_with("BILAT")
}

/// Words of at least so many letters; who names both sides, one by one, names none.
fn in_words(words: &[String], letters: usize) -> Option<Said> {
    let names = |side: &[&str]| words.iter().any(|word| word.len() >= letters && side.contains(&word.as_str()));
    match (names(&LEFT), names(&RIGHT)) {
        _ if words.iter().any(|word| names_both(word)) => Some(Said::Both),
        (true, false) => Some(Said::One(Side::Left)),
        (false, true) => Some(Said::One(Side::Right)),
        _ => None,
    }
}

/// Knees, where one would be a knee.
fn plural(data_set: &DataSet) -> Option<Said> {
    let mut tags = BESIDE.into_iter().chain([tags::BODY_PART_EXAMINED]);
    tags.any(|tag| words_of(data_set, tag).iter().any(|word| word == "KNEES")).then_some(Said::Both)
}

/// The code beside the region's or the structure's.
fn modifier(data_set: &DataSet) -> Option<Said> {
    let of = |(sequence, modifier): (Tag, Tag)| {
        let region = data_set.first_item(sequence).ok().flatten()?;
        let code = region.first_item(modifier).ok().flatten()?.text(tags::CODE_VALUE)?;
        CODES.iter().find(|(known, _)| *known == code).map(|(_, said)| *said)
    };
    [
        (tags::ANATOMIC_REGION_SEQUENCE, tags::ANATOMIC_REGION_MODIFIER_SEQUENCE),
        (tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE, tags::PRIMARY_ANATOMIC_STRUCTURE_MODIFIER_SEQUENCE),
    ]
    .into_iter()
    .find_map(of)
}
