//! From where the knee was seen.

use super::super::data_set::DataSet;
use super::words::{BESIDE, meaning, words, words_of};
use crate::radiograph::{Laterality, Refusal};
use dicom_dictionary_std::tags;

/// View positions that are not frontal: lateral and oblique ones (PS3.3 C.8.1.1, C.8.11.5).
const OTHER_VIEWS: [&str; 13] = ["LL", "RL", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "ML", "LM", "HBL"];

/// How words begin that name one, in View Position or in the meaning of a code, and such words.
const OTHER_BEGINNINGS: [&str; 15] = [
    "OBL",
    "TANG",
    "SKYL",
    "SKYV",
    "SUNR",
    "MERCH",
    "LAURIN",
    "SETTEGAST",
    "SEITL",
    "XTL",
    "CTL",
    "CROSS",
    "HORIZ",
    "TUNNEL",
    "INTERCOND",
];
const OTHER_WORDS: [&str; 3] = ["SKY", "SUN", "NOTCH"];

/// In the middle of a word it is lateral, too (RLAT, MEDIOLATERAL), but for these.
const LATERAL: [&str; 2] = ["LAT", "PROFIL"];
const NOT_LATERAL: [&str; 7] = ["BILAT", "UNILAT", "CONTRALAT", "COLLAT", "LATERALITY", "PLAT", "FLAT"];

/// Whole words for one of these, in descriptions.
const BESIDE_SIDEWAYS: [&str; 6] = ["LAT", "LATERAL", "SEITLICH", "SEITL", "PROFIL", "PROFILE"];
const BESIDE_OTHER: [&str; 15] = [
    "OBL",
    "OBLIQUE",
    "SUNRISE",
    "SKYLINE",
    "MERCHANT",
    "LAURIN",
    "SETTEGAST",
    "TANGENTIAL",
    "TANG",
    "TUNNEL",
    "NOTCH",
    "AXIAL",
    "DEFILE",
    "DEFILEE",
    "DÉFILÉ",
];
/// How words begin of a series of several views, of which this is one.
const SEVERAL: [&str; 9] = ["VIEW", "VW", "SERIES", "COMPLETE", "EBENEN", "INCIDEN", "PROYEC", "PROIEZ", "AUFNAHMEN"];

/// How words begin that name a frontal view. An axial one of these is that of a bent knee.
const FRONTAL: [&str; 8] = ["AP", "PA", "ANTERO", "POSTERO", "FRONT", "FRENTE", "FACE", "ROSENBERG"];
const AXIAL: &str = "AXIAL";

/// Refuses views that are not frontal: as View Position says it, else as View Code Sequence does, else because the picture's
/// rows or columns run from front to back, or because descriptions name only such. What names neither a frontal view nor another one,
/// as "standing", says nothing. Refuses what does not stand upright. No word refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let position = words_of(data_set, tags::VIEW_POSITION);
    let coded = words(&meaning(data_set, tags::VIEW_CODE_SEQUENCE).unwrap_or_default());
    let is_refused = match [&position, &coded].into_iter().find(|view| is_other(view) || is_frontal(view)) {
        Some(view) => is_other(view),
        None => {
            directions(data_set).iter().any(|direction| direction.starts_with(['A', 'P']))
                || is_other_beside(&BESIDE.map(|tag| words_of(data_set, tag)).concat())
        }
    };
    if is_refused {
        return Err(Refusal::NotFrontal);
    }
    match stands(&directions(data_set)) {
        true => Ok(()),
        false => Err(Refusal::unsupported(
            "its Patient Orientation says that the knee does not stand upright; turn the film, or correct the tag",
        )),
    }
}

/// Whether rows do not run along the leg, and columns do not run up it or across it. Nobody turns a film by these letters, so that
/// one that is stored upright under the letters of one that lies on its side looks right everywhere: it is refused, not turned.
fn stands(directions: &[String]) -> bool {
    let begins = |at: usize, with: &[char]| directions.get(at).is_some_and(|direction| direction.starts_with(with));
    !begins(0, &['H', 'F']) && !begins(1, &['H', 'L', 'R'])
}

fn is_frontal(view: &[String]) -> bool {
    view.iter().any(|word| match word.len() {
        2 => FRONTAL.contains(&word.as_str()),
        _ => FRONTAL.iter().any(|begin| begin.len() > 2 && word.starts_with(begin)),
    })
}

fn is_other(view: &[String]) -> bool {
    let begins = |word: &String, with: &[&str]| with.iter().any(|begin| word.starts_with(begin));
    let is_lateral = |word: &String| {
        LATERAL.iter().any(|part| word.contains(part)) && !NOT_LATERAL.iter().any(|part| word.contains(part))
    };
    matches!(view, [word] if OTHER_VIEWS.contains(&word.as_str()))
        || view
            .iter()
            .any(|word| is_lateral(word) || begins(word, &OTHER_BEGINNINGS) || OTHER_WORDS.contains(&word.as_str()))
        || !is_frontal(view) && view.iter().any(|word| word.starts_with(AXIAL))
}

/// Whether a description names other views only.
fn is_other_beside(words: &[String]) -> bool {
    let has = |these: &[&str]| words.iter().any(|word| these.contains(&word.as_str()));
    let is_of_several = words.iter().any(|word| word == "V" || SEVERAL.iter().any(|begin| word.starts_with(begin)));
    !is_frontal(words) && (has(&BESIDE_SIDEWAYS) || has(&BESIDE_OTHER) && !is_of_several)
}

/// Which half of a film of both knees shows which: the patient faces the reader, unless Patient Orientation (PS3.3 C.7.6.1.1.1)
/// says that its rows run to the patient's right.
pub(super) fn both(data_set: &DataSet) -> Laterality {
    match directions(data_set).first() {
        Some(row) if row.starts_with('R') => Laterality::BothMirrored,
        _ => Laterality::Both,
    }
}

/// Where rows and columns run to, as letters, the main one first; nothing where they are others than the standard's, as in HFS.
fn directions(data_set: &DataSet) -> Vec<String> {
    let text = data_set.text(tags::PATIENT_ORIENTATION).unwrap_or_default();
    let all: Vec<String> = text.split('\\').map(|direction| direction.trim().to_uppercase()).collect();
    let are_directions = all.iter().all(|direction| direction.chars().all(|letter| "APLRHF".contains(letter)));
    if are_directions { all } else { Vec::new() }
}
