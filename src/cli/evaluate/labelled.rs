//! Radiographs whose folder says their grade.

use crate::grade::KlGrade;
use std::path::{Path, PathBuf};

/// A file and what its folder says.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) path: PathBuf,
    pub(super) truth: KlGrade,
}

/// Those whose folder says a grade, and how many others there are.
pub(super) fn labelled(files: Vec<PathBuf>) -> (Vec<Labelled>, usize) {
    let all = files.len();
    let said = |path: PathBuf| grade_of(&path).map(|truth| Labelled { path, truth });
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
