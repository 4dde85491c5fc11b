//! The demo's radiographs: drawn, or copied from a folder of the user's.

use crate::config::Settings;
use crate::digest::Digest;
use crate::intake::passed_over;
use crate::phantom::{Coding, Knees, Subject, bilateral, dicom, jpeg8, knee, png16};
use crate::side::Side;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// A radiograph to drop into the inbox.
pub(super) struct Film {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) digest: Digest,
}

impl Film {
    fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        let path = folder.join(name);
        std::fs::write(&path, bytes)?;
        Ok(Self { name: name.to_owned(), path, digest: Digest::of(bytes) })
    }
}

/// Left and right, two DICOM codings, PNG, JPEG, a film of both knees; one broken, one twice.
pub(super) fn draw(folder: &Path) -> anyhow::Result<Vec<Film>> {
    std::fs::create_dir_all(folder)?;
    let film = |name: &str, bytes: &[u8]| Film::write(folder, name, bytes);
    let left =
        dicom(&knee(1, Side::Left, 0.1), &Subject::new(1, Knees::One(Side::Left)), Coding::ExplicitLittleEndian)?;
    let right = dicom(&knee(2, Side::Right, 0.8), &Subject::new(2, Knees::One(Side::Right)), Coding::JpegLs)?;
    let both = dicom(&bilateral(3, 0.3, 0.9), &Subject::new(3, Knees::Both), Coding::ExplicitLittleEndian)?;
    Ok(vec![
        film("left.dcm", &left)?,
        film("right-jpegls.dcm", &right)?,
        film("both-knees.dcm", &both)?,
        film("case-4-right.png", &png16(&knee(4, Side::Right, 0.5))?)?,
        film("case-5-left.jpg", &jpeg8(&knee(5, Side::Left, 1.0))?)?,
        film("left-again.dcm", &left)?,
        film("broken.dcm", &right[..right.len() / 2])?,
    ])
}

/// Copies of all files in the user's folder, subfolders and all, that the daemon does not pass over; to `films` in the demo's folder.
pub(super) fn copy(from: &Path, root: &Path) -> anyhow::Result<Vec<Film>> {
    anyhow::ensure!(from.is_dir(), "{} is no folder; name one that holds radiographs", from.display());
    let (to, own) = (root.join("films"), root.canonicalize()?);
    std::fs::create_dir_all(&to)?;
    let ignore = Settings::default().settle.ignore;
    let is_others = |entry: &DirEntry| entry.path().canonicalize().is_ok_and(|path| path != own);
    let (mut films, mut names) = (Vec::new(), HashSet::new());
    for entry in WalkDir::new(from).sort_by_file_name().into_iter().filter_entry(is_others) {
        let entry = entry?;
        let mut name = entry.path().strip_prefix(from)?.to_string_lossy().replace('/', "_");
        if !entry.file_type().is_file()
            || passed_over(entry.file_name(), &ignore)
            || passed_over(name.as_ref(), &ignore)
        {
            continue;
        }
        // a/b.png and a_b.png
        while !names.insert(name.clone()) {
            name = format!("{}_{name}", films.len());
        }
        films.push(Film::write(&to, &name, &std::fs::read(entry.path())?)?);
    }
    anyhow::ensure!(!films.is_empty(), "there is no file in {}", from.display());
    Ok(films)
}
