//! Originals read back: whether each is still what it was called by.

use super::strays::original;
use crate::digest::Digest;
use crate::state::{REASON, State, open_regular};
use std::io::ErrorKind;
use std::path::PathBuf;
use walkdir::WalkDir;

/// The originals that are kept, in archive and quarantine; and what of these folders cannot be searched, in words.
pub fn originals(state: &State) -> (Vec<(PathBuf, Digest)>, Vec<String>) {
    let (mut kept, mut wrong) = (Vec::new(), Vec::new());
    for entry in
        [&state.archive, &state.quarantine].into_iter().flat_map(|folder| WalkDir::new(folder).sort_by_file_name())
    {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let called = original(entry.path()).filter(|(_, ending)| *ending != REASON).map(|(digest, _)| digest);
                kept.extend(called.map(|digest| (entry.into_path(), digest)));
            }
            Ok(_) => {}
            Err(error) => wrong.push(format!("a folder cannot be searched: {error}")),
        }
    }
    (kept, wrong)
}

/// What is wrong with one of them, in words, if anything is. A disk that is losing its memory says nothing by itself.
pub fn decayed((path, digest): &(PathBuf, Digest)) -> Option<String> {
    match open_regular(path).and_then(Digest::of_reader) {
        Ok(read) if read == *digest => None,
        Ok(_) => Some(format!("{}: its bytes are not those that it is called by", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(format!("{}: it has gone since", path.display())),
        Err(error) => Some(format!("{}: it cannot be read: {error}", path.display())),
    }
}
