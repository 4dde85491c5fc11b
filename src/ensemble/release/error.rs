//! Why a release was refused.

use crate::{digest::Digest, ensemble::Absent, networks::weights::WeightsError};
use std::{io, path::PathBuf};

/// An error about a release; it names the release or its folder, the file, and for weights the tensor.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// No release has such a name.
    #[error("there can be no such release: {0}")]
    Name(String),
    /// A file of the release cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The release cannot be written.
    #[error("cannot write the release to {}: {source}", path.display())]
    Write {
        /// The release's folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `release.toml` is not valid.
    #[error("{} is not a valid release: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// The weights are not the ones that were released.
    #[error(
        "release {release}: {} was changed after it was written (SHA-256 is {found}, should be {expected}); \
         import the release again",
        path.display()
    )]
    Hash {
        /// The release's name.
        release: String,
        /// The weights' file.
        path: PathBuf,
        /// The hash in `release.toml`.
        expected: Digest,
        /// The file's hash.
        found: Digest,
    },
    /// The weights do not fit the architecture.
    #[error("release {release}: {} cannot be used: {source}", path.display())]
    Weights {
        /// The release's name.
        release: String,
        /// The weights' file.
        path: PathBuf,
        /// What is wrong with them.
        source: WeightsError,
    },
    /// Too few members can be loaded.
    #[error(
        "release {release}: {present} of its {members} members can be loaded, and the quorum is {quorum}; mend the \
         others, or lower the quorum in the settings. {}",
        each(absent)
    )]
    Quorum {
        /// The release's name.
        release: String,
        /// How many members it has.
        members: usize,
        /// How many of them must vote.
        quorum: usize,
        /// How many of them can.
        present: usize,
        /// The others.
        absent: Vec<Absent>,
    },
    /// What was asked for at import makes no valid release.
    #[error("release {name:?} cannot be made: {reason}")]
    Options {
        /// The name that was asked for.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A release is written once.
    #[error("{} exists already, and a release is never changed; choose another name", path.display())]
    Exists {
        /// The folder in the way.
        path: PathBuf,
    },
}

/// Who is absent and why, in one line.
fn each(absent: &[Absent]) -> String {
    let each: Vec<_> = absent.iter().map(|absent| format!("{}: {}", absent.name, absent.reason)).collect();
    each.join("; ")
}
