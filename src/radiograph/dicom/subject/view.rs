//! From where the knee was seen.

use super::super::data_set::DataSet;
use crate::radiograph::{Laterality, Refusal};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// View positions that are not frontal: lateral and oblique ones (PS3.3 C.8.1.1, C.8.11.5).
const OTHER_VIEWS: [&str; 13] = ["LL", "RL", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "ML", "LM", "HBL"];

/// How words begin that name one, in View Position or in the meaning of a code.
const OTHER_WORDS: [&str; 12] =
    ["OBL", "TANG", "SKY", "SUN", "MERCH", "LAURIN", "SETTEGAST", "SEITL", "XTL", "CTL", "CROSS", "HORIZ"];

/// In the middle of a word it is lateral, too (RLAT, MEDIOLATERAL), but for these.
const LATERAL: [&str; 2] = ["LAT", "PROFIL"];
const NOT_LATERAL: [&str; 7] = ["BILAT", "UNILAT", "CONTRALAT", "COLLAT", "LATERALITY", "PLAT", "FLAT"];

/// Whole words for it.
const SIDEWAYS: [&str; 6] = ["LAT", "LATERAL", "SEITLICH", "SEITL", "PROFIL", "PROFILE"];

/// How words begin that name a frontal view. An axial one of these is that of a bent knee.
const FRONTAL: [&str; 7] = ["AP", "PA", "ANTERO", "POSTERO", "FRONT", "FACE", "ROSENBERG"];
const AXIAL: &str = "AXIAL";

/// What is written where nothing is known.
const SILENT: [&str; 4] = ["UNKNOWN", "OTHER", "UNDEFINED", "NONE"];

/// What people and devices write beside the view: counts where nothing else says it, where it names no frontal view, too, and in whole
/// words, since there is much else in it.
const BESIDE: [Tag; 2] = [tags::SERIES_DESCRIPTION, tags::ACQUISITION_DEVICE_PROCESSING_DESCRIPTION];

/// Refuses views that are not frontal: as View Position says it, else as View Code Sequence does, else because the picture's
/// rows or columns run from front to back, or because other words name only such. Refuses what does not stand upright. No word
/// refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let position = data_set.text(tags::VIEW_POSITION).filter(|view| !SILENT.contains(&view.to_uppercase().as_str()));
    // a sequence that cannot be read says nothing
    let coded = || data_set.first_item(tags::VIEW_CODE_SEQUENCE).ok().flatten()?.text(tags::CODE_MEANING);
    let is_refused = match position.or_else(coded) {
        Some(view) => is_other(&view),
        None => {
            let beside = BESIDE.into_iter().filter_map(|tag| data_set.text(tag));
            directions(data_set).iter().any(|direction| direction.starts_with(['A', 'P']))
                || beside
                    .into_iter()
                    .any(|words| any_word(&words, |word| SIDEWAYS.contains(&word)) && !is_frontal(&words))
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

fn any_word(view: &str, is: impl Fn(&str) -> bool) -> bool {
    // a.p. is a word
    view.to_uppercase().replace('.', "").split(|c: char| !c.is_alphabetic()).any(|word| !word.is_empty() && is(word))
}

fn is_frontal(view: &str) -> bool {
    any_word(view, |word| match word.len() {
        2 => FRONTAL.contains(&word),
        _ => FRONTAL.iter().any(|begin| begin.len() > 2 && word.starts_with(begin)),
    })
}

fn is_other(view: &str) -> bool {
    let is_lateral = |word: &str| {
        LATERAL.iter().any(|part| word.contains(part)) && !NOT_LATERAL.iter().any(|part| word.contains(part))
    };
    OTHER_VIEWS.contains(&view.trim().to_uppercase().as_str())
        || any_word(view, is_lateral)
        || any_word(view, |word| OTHER_WORDS.iter().any(|begin| word.starts_with(begin)))
        || !is_frontal(view) && any_word(view, |word| word.starts_with(AXIAL))
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
