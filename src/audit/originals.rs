//! Originals read back: whether each is still what it was called by.

use super::strays::{files, original};
use crate::digest::Digest;
use crate::state::{REASON, State, open_regular};
use std::path::PathBuf;

/// The originals that are kept, in archive and quarantine.
pub fn originals(state: &State) -> Vec<(PathBuf, Digest)> {
    let kept = [&state.archive, &state.quarantine].into_iter().flat_map(|folder| files(folder));
    let called = kept.filter_map(|path| {
        let (digest, _) = original(&path).filter(|(_, ending)| *ending != REASON)?;
        Some((path, digest))
    });
    called.collect()
}

/// What is wrong with one of them, in words, if anything is. A disk that is losing its memory says nothing by itself.
pub fn decayed((path, digest): &(PathBuf, Digest)) -> Option<String> {
    match open_regular(path).and_then(Digest::of_reader) {
        Ok(read) if read == *digest => None,
        Ok(_) => Some(format!("{}: its bytes are not those that it is called by", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None, // moved since it was listed
        Err(error) => Some(format!("{}: it cannot be read: {error}", path.display())),
    }
}
