//! From where the knee was seen.

use super::super::data_set::DataSet;
use crate::radiograph::{Laterality, Refusal};
use dicom_dictionary_std::tags;

/// View positions that are not frontal: lateral and oblique ones (PS3.3 C.8.1.1, C.8.11.5).
const OTHER_VIEWS: [&str; 12] = ["LL", "RL", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "ML", "LM"];

/// How words begin that name one, in View Position or in the meaning of a code.
const OTHER_WORDS: [&str; 9] = ["LAT", "MEDIOLAT", "AXIAL", "TANG", "SKYL", "SUNR", "MERCH", "LAURIN", "SETTEGAST"];

/// Those that are no frontal view even where the same tag says AP or PA.
const OBLIQUE: &str = "OBL";

/// Refuses views that are not frontal: as View Position says it, else as View Code Sequence does, or because the picture's
/// rows or columns run from front to back. No word refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let named = match data_set.text(tags::VIEW_POSITION) {
        Some(view) => Some(view),
        None => data_set.first_item(tags::VIEW_CODE_SEQUENCE)?.and_then(|code| code.text(tags::CODE_MEANING)),
    };
    let is_sagittal = directions(data_set).iter().any(|direction| direction.starts_with(['A', 'P']));
    if named.is_some_and(|view| is_other(&view)) || is_sagittal { Err(Refusal::NotFrontal) } else { Ok(()) }
}

fn is_other(view: &str) -> bool {
    let view = view.to_uppercase();
    let words: Vec<&str> = view.split(|c: char| !c.is_alphabetic()).collect();
    let begins = |begin: &str| words.iter().any(|word| word.starts_with(begin));
    // an axial PA is a PA of a bent knee
    let is_frontal = words.iter().any(|word| ["AP", "PA"].contains(word));
    OTHER_VIEWS.contains(&view.trim()) || begins(OBLIQUE) || !is_frontal && OTHER_WORDS.into_iter().any(begins)
}

/// Which half of a film of both knees shows which: the patient faces the reader, unless Patient Orientation (PS3.3 C.7.6.1.1.1)
/// says that its rows run to the patient's right.
pub(super) fn both(data_set: &DataSet) -> Laterality {
    match directions(data_set).first() {
        Some(row) if row.starts_with('R') => Laterality::BothMirrored,
        _ => Laterality::Both,
    }
}

/// Where rows and columns run to, as letters, the main one first.
fn directions(data_set: &DataSet) -> Vec<String> {
    let text = data_set.text(tags::PATIENT_ORIENTATION).unwrap_or_default();
    text.split('\\').map(|direction| direction.trim().to_uppercase()).collect()
}
