//! What single words of a label mean. No error quotes the word, which may name a patient.

use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::ledger::{Labelled, now, timestamp};
use crate::radiograph::is_uid;
use crate::side::Side;
use jiff::civil::Date;
use std::fs::File;
use std::path::Path;

/// The radiograph with this SHA-256.
pub fn by_digest(word: &str) -> Result<Labelled, String> {
    word.parse().map(Labelled::Digest).map_err(|_| "no SHA-256 (64 hexadecimal digits)".to_owned())
}

/// The radiograph with this DICOM SOP Instance UID, of a word that may also be a file's name or the beginning of a SHA-256: dotted
/// numbers alone (PS3.5 section 9.1).
pub fn by_uid(word: &str) -> Result<Labelled, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match word.contains('.') && word.split('.').all(is_number) {
        true => by_instance_uid(word),
        false => Err(NO_UID.to_owned()),
    }
}

/// The radiograph with this DICOM SOP Instance UID, as films have them, where nothing else is meant.
pub fn by_instance_uid(word: &str) -> Result<Labelled, String> {
    match is_uid(word) && by_digest(word).is_err() {
        true => Ok(Labelled::InstanceUid(word.to_owned())),
        false => Err(NO_UID.to_owned()),
    }
}

const NO_UID: &str = "no UID (numbers with dots between them, such as 1.2.840.1)";

/// The radiograph in this file, which is hashed.
pub fn by_file(path: &Path) -> Result<Labelled, String> {
    let cannot = |error: std::io::Error| format!("no file that can be read ({error})");
    // a pipe or a device would be read for ever
    if !path.metadata().map_err(cannot)?.is_file() {
        return Err("no file that can be read (it is something else)".to_owned());
    }
    Digest::of_reader(File::open(path).map_err(cannot)?).map(Labelled::Digest).map_err(cannot)
}

/// `3`, `3.0`, `KL3`, `KL 3`.
pub fn grade(word: &str) -> Result<KlGrade, String> {
    let word = word.to_ascii_lowercase();
    let digit = word.strip_prefix("kl").unwrap_or(&word).trim();
    let digit = digit.strip_suffix(".0").unwrap_or(digit);
    let grade = digit.parse::<u8>().ok().and_then(|digit| KlGrade::try_from(digit).ok());
    grade.ok_or_else(|| "no Kellgren-Lawrence grade (0 to 4)".to_owned())
}

/// `left`, `L`; `right`, `R`; `unknown`.
pub fn side(word: &str) -> Result<Side, String> {
    match word.to_ascii_lowercase().as_str() {
        "l" => Ok(Side::Left),
        "r" => Ok(Side::Right),
        word => word.parse().map_err(|_| "no side (left, right, or nothing for the only knee)".to_owned()),
    }
}

/// A name, without blanks around it.
pub fn reader(word: &str) -> Result<String, String> {
    match word.trim() {
        "" => Err("nobody is named: a column reader does, or `labels import --reader`".to_owned()),
        name if name.chars().any(char::is_control) => {
            Err("no name: there are line ends or control characters in it (is a quotation mark missing?)".to_owned())
        }
        name if name.starts_with(['=', '+', '-', '@']) => {
            Err("no name: a spreadsheet would take it for a formula".to_owned())
        }
        name => Ok(name.to_owned()),
    }
}

/// A date (2026-01-31) or a time (RFC 3339), as the ledger writes them; not to come.
pub fn read_at(word: &str) -> Result<String, String> {
    let told = match word.parse() {
        Ok(time) => timestamp(time),
        Err(_) => {
            let date = word.parse::<Date>().ok().filter(|_| word.len() == 10);
            date.ok_or("no date such as 2026-01-31 and no time such as 2026-01-31T10:00:00Z")?.to_string()
        }
    };
    // somewhere it may be tomorrow already
    let tomorrow = timestamp(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24));
    match told.as_str() <= tomorrow.as_str() {
        true => Ok(told),
        false => Err(format!("in the future: it is {} here", now())),
    }
}
