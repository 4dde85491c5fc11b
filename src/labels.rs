//! Readers' grades, as they come: lists of comma-separated values, and single ones.

mod folder;
mod list;

pub use folder::LabelFolder;
pub use list::{ListError, read};

use crate::digest::Digest;
use crate::ledger::Labelled;
use std::fs::File;
use std::path::Path;

/// The radiograph that a word means: a file, the SHA-256 of its bytes, or a DICOM SOP Instance UID.
///
/// A file is looked for below `folder` and hashed. The error says what is wrong, and not the word, which may name a patient.
pub fn radiograph(word: &str, folder: &Path) -> Result<Labelled, String> {
    if let Ok(digest) = word.parse() {
        return Ok(Labelled::Digest(digest));
    }
    if is_uid(word) {
        return Ok(Labelled::InstanceUid(word.to_owned()));
    }
    let file = File::open(folder.join(word)).map_err(|error| format!("no file that can be read ({error})"))?;
    Digest::of_reader(file).map(Labelled::Digest).map_err(|error| format!("a file that cannot be read ({error})"))
}

/// Dotted numbers, at most 64 characters (PS3.5 section 9.1).
fn is_uid(word: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    word.len() <= 64 && word.contains('.') && word.split('.').all(number)
}

/// A date (2026-01-31) or a time (RFC 3339), as the ledger writes them.
pub fn read_at(word: &str) -> Result<String, String> {
    if let Ok(time) = word.parse() {
        return Ok(crate::ledger::timestamp(time));
    }
    let date: Result<jiff::civil::Date, _> = word.parse();
    date.map(|date| date.to_string()).map_err(|_| "no date such as 2026-01-31 and no time of RFC 3339".to_owned())
}
