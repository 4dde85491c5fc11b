//! What the user named -> files.

use std::io;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A path on the command line that leads to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum PathError {
    /// Neither a file nor a folder, and no glob matches.
    #[error("{0} is no file, no folder, and no glob that matches anything")]
    Nothing(PathBuf),
}

/// What cannot be searched, and why.
pub(super) type Unreadable = Vec<(PathBuf, io::Error)>;

/// All files that the paths lead to, in order, and what cannot be searched; folders are searched through, hidden names
/// and our own folders (results, originals) in them passed over.
pub(super) fn expand(paths: &[PathBuf], own: &[PathBuf]) -> Result<(Vec<PathBuf>, Unreadable), PathError> {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        if path.exists() {
            walk(path, own, &mut files, &mut unreadable);
            continue;
        }
        // A shell expands most globs itself; quoted ones, and those of other programs, arrive here.
        let before = files.len();
        let matches = glob::glob(&path.to_string_lossy()).map_err(|_| PathError::Nothing(path.clone()))?;
        for found in matches.flatten() {
            walk(&found, own, &mut files, &mut unreadable);
        }
        if files.len() == before && unreadable.is_empty() {
            return Err(PathError::Nothing(path.clone()));
        }
    }
    Ok((files, unreadable))
}

fn walk(path: &Path, own: &[PathBuf], files: &mut Vec<PathBuf>, unreadable: &mut Unreadable) {
    let wanted = |entry: &walkdir::DirEntry| {
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let ours = || std::path::absolute(entry.path()).is_ok_and(|path| own.contains(&path));
        entry.depth() == 0 || !(hidden || entry.file_type().is_dir() && ours())
    };
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(wanted) {
        match entry {
            Ok(entry) if entry.file_type().is_file() || (entry.depth() == 0 && entry.path().is_file()) => {
                files.push(entry.into_path());
            }
            // named by itself; what is found in a folder may be anything
            Ok(entry) if entry.depth() == 0 && !entry.path().is_dir() => {
                unreadable.push((entry.into_path(), io::Error::other("it is neither a file nor a folder")));
            }
            Ok(_) => {}
            Err(error) => unreadable.push((error.path().unwrap_or(path).to_owned(), error.into())),
        }
    }
}
