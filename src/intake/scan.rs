//! What lies in the inbox now.

use super::Stamp;
use crate::config::Pattern;
use crate::gauges::Under;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Deeper folders than any sender makes; a loop of mounts ends here.
const DEEPEST: usize = 16;

/// All regular files below the inbox that are not a sender's or a system's temporary ones, the oldest first.
///
/// Links are not followed: they may lead out of the inbox, or round in circles. Pipes, sockets and devices
/// are not files to wait for. Fails only if the inbox itself cannot be read. Each entry is a sign of life of the `step`: a
/// large inbox on a slow share takes long.
pub(super) fn scan(inbox: &Path, ignore: &[Pattern], step: &Under) -> io::Result<Vec<(PathBuf, Stamp)>> {
    std::fs::read_dir(inbox)?;
    let wanted = |entry: &walkdir::DirEntry| entry.depth() == 0 || !passed_over(entry.file_name(), ignore);
    let mut files: Vec<_> = WalkDir::new(inbox)
        .max_depth(DEEPEST)
        .into_iter()
        .filter_entry(|entry| {
            step.moves();
            wanted(entry)
        })
        // An entry that vanished or may not be entered is nobody's loss: the next scan looks again.
        .filter_map(|entry| entry.inspect_err(complain).ok())
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some((entry.path().to_owned(), Stamp::of(&entry.metadata().ok()?))))
        .collect();
    files.sort_by_key(|(_, stamp)| stamp.mtime);
    Ok(files)
}

/// Without the folder's name, which may be a patient's.
fn complain(error: &walkdir::Error) {
    if let Some(error) = error.io_error().filter(|error| error.kind() != io::ErrorKind::NotFound) {
        tracing::warn!("a folder in the inbox cannot be read: {error}; what is in it waits");
    }
}

/// Hidden names, and those that settings name: files in flight, what file servers keep for themselves.
pub fn passed_over(name: &OsStr, ignore: &[Pattern]) -> bool {
    let first = name.as_encoded_bytes().first();
    first == Some(&b'.') || ignore.iter().any(|pattern| pattern.matches(name))
}
