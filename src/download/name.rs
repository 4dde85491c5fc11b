//! A name that carries the first digits of its file's SHA-256, and whether a file is what its name says.

use super::DownloadError;
use crate::digest::Digest;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// What a folder has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The file that the name says.
    Right,
    /// Something else, with this hash.
    Wrong(Digest),
    /// Nothing.
    Absent,
}

/// Whether the file is there, fetched or brought by hand.
pub fn standing(file: &str, folder: &Path) -> Result<Standing, DownloadError> {
    let expected = digits(file)?;
    let path = folder.join(file);
    let read = || {
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Digest::of_reader(File::open(&path)?)
    };
    match read() {
        Ok(found) if found.to_string().starts_with(expected) => Ok(Standing::Right),
        Ok(found) => Ok(Standing::Wrong(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Standing::Absent),
        Err(source) => Err(DownloadError::Io { step: "read", path, source }),
    }
}

/// The digits that the file's SHA-256 begins with: the eight before the name's extension, behind a hyphen.
pub(super) fn digits(file: &str) -> Result<&str, DownloadError> {
    let digits = file.rsplit_once('.').and_then(|(stem, _)| stem.rsplit_once('-')).map(|(_, digits)| digits);
    digits
        .filter(|digits| digits.len() == 8 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        .filter(|_| !file.starts_with('.') && !file.contains(['/', '\0']))
        .ok_or_else(|| DownloadError::Name(file.to_owned()))
}
