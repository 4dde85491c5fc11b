//! Radiographs whose grades are known: their folder says it, or readers do.

use super::judging::Passed;
use crate::grade::KlGrade;
use crate::ledger::{LabelledKnee, LedgerError};
use crate::state::State;
use std::path::{Path, PathBuf};

/// A knee and what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) path: PathBuf,
    pub(super) truth: KlGrade,
    /// Which knee of the file, from the picture's left; none for its only one.
    pub(super) position: Option<usize>,
    /// Whose knee it is; none: as the file says it.
    pub(super) patient: Option<String>,
}

/// The knees whose readers say one grade, as the ledger has them, and those of them whose originals are gone.
pub(super) fn on_record(state: &State) -> Result<(Vec<Labelled>, Vec<Passed>), LedgerError> {
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for LabelledKnee { radiograph, position, grade, patient } in LabelledKnee::all(&state.ledger)? {
        match state.archived(&radiograph) {
            Some(path) => there.push(Labelled { path, truth: grade, position: Some(position), patient }),
            None => gone.push(Passed {
                file: radiograph.to_string().into(),
                reason: "its original is not in the archive".to_owned(),
            }),
        }
    }
    Ok((there, gone))
}

/// Those whose folder says a grade, and how many others there are.
pub(super) fn labelled(files: Vec<PathBuf>) -> (Vec<Labelled>, usize) {
    let all = files.len();
    let said = |path: PathBuf| {
        let truth = grade_of(&path)?;
        Some(Labelled { path, truth, position: None, patient: None })
    };
    let labelled: Vec<_> = files.into_iter().filter_map(said).collect();
    let others = all - labelled.len();
    (labelled, others)
}

/// The grade that the folder right above a file is named after: `3`, `KL3`, `kl_3`, `grade 3`, `3_moderate`.
fn grade_of(path: &Path) -> Option<KlGrade> {
    let folder = std::path::absolute(path).ok()?.parent()?.file_name()?.to_str()?.to_ascii_lowercase();
    let digits: Vec<&str> = folder.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect();
    let [digit] = digits[..] else { return None };
    let (before, after) = folder.split_once(digit)?;
    let is_grade =
        matches!(before.trim_end_matches(['_', '-', ' ']), "" | "kl" | "grade" | "kl_grade" | "kl-grade" | "kl grade");
    let is_name = after.is_empty() || after.starts_with(['_', '-', ' ']);
    digit.parse().ok().and_then(|digit: u8| KlGrade::try_from(digit).ok()).filter(|_| is_grade && is_name)
}
