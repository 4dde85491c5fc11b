//! A release: a frozen set of members with their vote rule, metrics and model card.
//!
//! A folder of `release.toml`, the members' weights as safetensors, and `MODEL_CARD.md`. It is written once, whole or not
//! at all, and never changed; the SHA-256 of `release.toml`, which holds the weights' hashes, identifies it.

mod card;
mod error;
mod import;
mod manifest;
mod trained;

pub use error::ReleaseError;
pub use import::{ImportOptions, Source, architecture_of, import, member_names};
pub use manifest::{
    IMAGE_SIZES, MARKS_ALL, MemberEntry, Metrics, Origin, Provenance, Review, TEMPERATURES, plain_name,
};
pub use trained::{Trained, TrainedMember};

use super::vote::VoteRule;
use crate::state::write_once;
use crate::{
    digest::Digest,
    networks::{
        Form, Network,
        weights::{MAX_FILE_BYTES, Weights},
    },
};
use manifest::Manifest;
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use tch::Device;

/// Another user than the one who writes a release may grade with it.
const OPEN_TO_ALL: u32 = 0o755;

const MANIFEST: &str = "release.toml";
const CARD: &str = "MODEL_CARD.md";

/// A release.toml of sixty members has 15 kB.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// An opened release: its manifest is read and consistent, its weights not yet looked at.
#[derive(Clone, Debug)]
pub struct Release {
    folder: PathBuf,
    manifest: Manifest,
    text: String,
    digest: Digest,
}

impl Release {
    /// Reads and checks a release's `release.toml`. Does not call into libtorch.
    pub fn open(folder: &Path) -> Result<Self, ReleaseError> {
        let path = folder.join(MANIFEST);
        let bytes =
            read(&path, MAX_MANIFEST_BYTES).map_err(|source| ReleaseError::Read { path: path.clone(), source })?;
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
        let parsed = text.and_then(|text| Ok((Manifest::parse(&text)?, text)));
        let (manifest, text) = parsed.map_err(|reason| ReleaseError::Manifest { path, reason })?;
        Ok(Self { folder: folder.to_owned(), manifest, text, digest })
    }

    /// Opens the release of this name in the folder of releases. Whoever names it, no name leads out of there.
    pub fn named(models: &Path, name: &str) -> Result<Self, ReleaseError> {
        plain_name(name).map_err(ReleaseError::Name)?;
        Self::open(&models.join(name))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The SHA-256 of `release.toml`: two releases are the same when this is.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The text of its `release.toml`.
    pub fn manifest(&self) -> &str {
        &self.text
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// When it was made.
    pub fn created(&self) -> jiff::Timestamp {
        self.manifest.created
    }

    /// How its members' votes become a grade.
    pub fn vote(&self) -> VoteRule {
        self.manifest.vote
    }

    /// How well it grades, by data set; none where nobody measured.
    pub fn metrics(&self) -> &[Metrics] {
        &self.manifest.metrics
    }

    /// Which grades a human should look at; none where nobody has set a threshold.
    pub fn review(&self) -> Option<&Review> {
        self.manifest.review.as_ref()
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.manifest.provenance
    }

    /// Its members in voting order.
    pub fn members(&self) -> impl ExactSizeIterator<Item = MemberFile<'_>> {
        self.manifest.members.iter().map(|entry| MemberFile { release: self, entry })
    }

    /// Writes a release's files into a new folder `models/name`, all of them or none.
    pub(super) fn write(models: &Path, name: &str, files: &[(&str, &[u8])]) -> Result<Self, ReleaseError> {
        let path = models.join(name);
        match write_once(models, name, OPEN_TO_ALL, files) {
            Ok(folder) => Self::open(&folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(ReleaseError::Exists { path }),
            Err(source) => Err(ReleaseError::Write { path, source }),
        }
    }

    /// Checks every member: the file's hash, then names, shapes and finite values by building the network.
    ///
    /// Calls into libtorch: settle the device first.
    pub fn verify(&self) -> Result<(), ReleaseError> {
        self.members().try_for_each(|member| member.build(Device::Cpu, Form::Plain).map(drop))
    }
}

/// One member as its release describes it.
#[derive(Clone, Copy)]
pub struct MemberFile<'a> {
    release: &'a Release,
    entry: &'a MemberEntry,
}

impl MemberFile<'_> {
    /// Its name, unique in the release.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// What `release.toml` says about it.
    pub fn entry(&self) -> &MemberEntry {
        self.entry
    }

    /// The weights' file, whose hash is checked.
    pub fn bytes(&self) -> Result<Vec<u8>, ReleaseError> {
        let path = self.path();
        let bytes = read(&path, MAX_FILE_BYTES).map_err(|source| ReleaseError::Read { path: path.clone(), source })?;
        let found = Digest::of(&bytes);
        if found != self.entry.sha256 {
            let (release, expected) = (self.release.name().to_owned(), self.entry.sha256);
            return Err(ReleaseError::Hash { release, path, expected, found });
        }
        Ok(bytes)
    }

    /// Reads the weights, checks their hash and builds the network on a device, in a form.
    pub fn build(&self, device: Device, form: Form) -> Result<Network, ReleaseError> {
        let weights = Weights::from_bytes(self.bytes()?).map(|weights| weights.on(device));
        weights.and_then(|mut weights| self.entry.architecture.build(&mut weights, form)).map_err(|source| {
            let release = self.release.name().to_owned();
            ReleaseError::Weights { release, path: self.path(), source }
        })
    }

    fn path(&self) -> PathBuf {
        self.release.folder.join(&self.entry.file)
    }
}

/// All bytes of a regular file: a pipe in its place would block for ever.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(metadata.len()).read_to_end(&mut bytes)?;
    Ok(bytes)
}
