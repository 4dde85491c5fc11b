//! From where the knee was seen.

use super::super::data_set::DataSet;
use crate::radiograph::{Laterality, Refusal};
use dicom_dictionary_std::tags;

/// View positions that are not frontal: lateral and oblique ones (PS3.3 C.8.1.1, C.8.11.5).
const OTHER_VIEWS: [&str; 13] = ["LL", "RL", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "ML", "LM", "HBL"];

/// How words begin that name one, in View Position or in the meaning of a code.
const OTHER_WORDS: [&str; 8] = ["OBL", "TANG", "SKYL", "SUNR", "MERCH", "LAURIN", "SETTEGAST", "SEITL"];

/// In the middle of a word it is lateral, too (RLAT, MEDIOLATERAL), but for these.
const LATERAL: [&str; 2] = ["LAT", "PROFIL"];
const NOT_LATERAL: [&str; 4] = ["BILAT", "UNILAT", "CONTRALAT", "COLLAT"];

/// How words begin that name a frontal view. An axial one of these is that of a bent knee.
const FRONTAL: [&str; 6] = ["AP", "PA", "ANTERO", "POSTERO", "FRONTAL", "ROSENBERG"];
const AXIAL: &str = "AXIAL";

/// What is written where nothing is known.
const SILENT: [&str; 4] = ["UNKNOWN", "OTHER", "UNDEFINED", "NONE"];

/// Refuses views that are not frontal: as View Position says it, else as View Code Sequence does, else because the picture's
/// rows or columns run from front to back. Refuses what does not stand upright. No word refuses nothing.
pub(super) fn check(data_set: &DataSet) -> Result<(), Refusal> {
    let position = data_set.text(tags::VIEW_POSITION).filter(|view| !SILENT.contains(&view.to_uppercase().as_str()));
    // a sequence that cannot be read says nothing
    let coded = || data_set.first_item(tags::VIEW_CODE_SEQUENCE).ok().flatten()?.text(tags::CODE_MEANING);
    let is_refused = match position.or_else(coded) {
        Some(view) => is_other(&view),
        None => directions(data_set).iter().any(|direction| direction.starts_with(['A', 'P'])),
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

fn is_other(view: &str) -> bool {
    let view = view.to_uppercase();
    let words: Vec<&str> = view.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let any = |is: &dyn Fn(&str) -> bool| words.iter().any(|word| is(word));
    let is_lateral = |word: &str| {
        LATERAL.iter().any(|part| word.contains(part)) && !NOT_LATERAL.iter().any(|part| word.contains(part))
    };
    let is_frontal = any(&|word| match word.len() {
        2 => FRONTAL.contains(&word),
        _ => FRONTAL.iter().any(|begin| begin.len() > 2 && word.starts_with(begin)),
    });
    OTHER_VIEWS.contains(&view.trim())
        || any(&is_lateral)
        || any(&|word| OTHER_WORDS.iter().any(|begin| word.starts_with(begin)))
        || !is_frontal && any(&|word| word.starts_with(AXIAL))
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
