//! What the user named -> files.

use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A path on the command line that leads to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum PathError {
    /// Neither a file nor a folder, and no glob matches.
    #[error("{0} is no file, no folder, and no glob that matches anything")]
    Nothing(PathBuf),
    /// A folder that cannot be searched.
    #[error("the folder {0} cannot be searched: {1}")]
    Folder(PathBuf, walkdir::Error),
}

/// All files that the paths lead to, in order; folders are searched through, hidden names in them passed over.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, PathError> {
    let mut files = Vec::new();
    for path in paths {
        if path.exists() {
            walk(path, &mut files)?;
            continue;
        }
        // A shell expands most globs itself; quoted ones, and those of other programs, arrive here.
        let before = files.len();
        let matches = glob::glob(&path.to_string_lossy()).map_err(|_| PathError::Nothing(path.clone()))?;
        for found in matches.flatten() {
            walk(&found, &mut files)?;
        }
        if files.len() == before {
            return Err(PathError::Nothing(path.clone()));
        }
    }
    Ok(files)
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), PathError> {
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|e| PathError::Folder(path.to_owned(), e))?;
        if entry.file_type().is_file() || (entry.depth() == 0 && entry.path().is_file()) {
            files.push(entry.into_path());
        }
    }
    Ok(())
}
