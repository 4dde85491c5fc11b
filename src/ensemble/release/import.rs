//! Making a release out of foreign weights.

use super::{
    CARD, MANIFEST, Release, ReleaseError, card,
    manifest::{AS_TRAINED, Manifest, MemberEntry, Origin, Provenance},
};
use crate::{
    digest::Digest,
    ensemble::{look::FROM_AFAR, vote::VoteRule},
    networks::{
        Architecture, Form,
        weights::{MAX_FILE_BYTES, Weights},
    },
};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// The program that writes releases.
pub(super) const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// One foreign file that becomes a member.
#[derive(Clone, Debug)]
pub struct Source {
    /// A state_dict: `.safetensors`, `.pt` or `.pth`.
    pub path: PathBuf,
    /// Which network it belongs to.
    pub architecture: Architecture,
    /// The side of its views in pixels; none for the architecture's own.
    pub image_size: Option<u32>,
    /// Above 1: it looks at the knee's middle, too, so many times as large; none for one that does not.
    pub zoom: Option<f64>,
    /// What its logits are divided by, as calibration found it; none for a network that was not calibrated.
    pub temperature: Option<f64>,
}

/// What the release should say of itself.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Its name, and its folder's.
    pub name: String,
    /// The clock's time.
    pub created: Timestamp,
    /// How votes become a grade.
    pub vote: VoteRule,
    /// What a human should know about where it comes from.
    pub note: Option<String>,
    /// The whole text of `MODEL_CARD.md`; none for one made from the rest.
    pub card: Option<String>,
}

/// The architecture whose weights are in a file of this name, as torchvision names its files.
///
/// torchvision's files begin with the architecture's name, but for underscores (`shufflenetv2_x2_0-8be3c8ee.pth`).
/// Where one name begins another, the longer one is meant.
pub fn architecture_of(file_name: &str) -> Option<Architecture> {
    let bare = |name: &str| name.replace('_', "");
    let file_name = bare(file_name);
    let fitting =
        Architecture::ALL.into_iter().filter(|architecture| file_name.starts_with(&bare(architecture.name())));
    fitting.max_by_key(|architecture| architecture.name().len())
}

/// What members of these architectures are called: by their architecture's name, a second of the same with `_2` behind it.
pub fn member_names(architectures: &[Architecture]) -> Vec<String> {
    let name = |(place, architecture): (usize, &Architecture)| match architectures[..place]
        .iter()
        .filter(|earlier| *earlier == architecture)
        .count()
    {
        0 => architecture.name().to_owned(),
        twins => format!("{architecture}_{}", twins + 1),
    };
    architectures.iter().enumerate().map(name).collect()
}

/// Reads foreign weights, checks them by building their networks, and writes them as a release into `models`.
///
/// The weights are stored in float16. The release is verified before it gets its name; an existing one is never
/// overwritten. Calls into libtorch: settle the device first.
pub fn import(sources: &[Source], options: ImportOptions, models: &Path) -> Result<Release, ReleaseError> {
    let mut members = Vec::new();
    let mut files = Vec::new();
    let mut origins = Vec::new();
    let architectures: Vec<_> = sources.iter().map(|source| source.architecture).collect();
    for (source, name) in sources.iter().zip(member_names(&architectures)) {
        let (bytes, origin) = convert(source, &options.name)?;
        members.push(MemberEntry {
            file: format!("{name}.safetensors"),
            name,
            architecture: source.architecture,
            image_size: source.image_size.unwrap_or(source.architecture.image_size()),
            zoom: source.zoom.unwrap_or(FROM_AFAR),
            temperature: source.temperature.unwrap_or(AS_TRAINED),
            fold: None,
            sha256: Digest::of(&bytes),
        });
        files.push(bytes);
        origins.push(origin);
    }
    let manifest = Manifest {
        name: options.name,
        created: options.created,
        vote: options.vote,
        members,
        review: None,
        metrics: Vec::new(),
        provenance: Provenance { program: PROGRAM.to_owned(), note: options.note, sources: origins },
    };
    write(&manifest, &files, options.card, &[], models)
}

/// Writes a release of members whose weights are in order: `files`, those of the manifest's members; `card`, the text of
/// `MODEL_CARD.md`, or none for one made from the manifest.
pub(super) fn write(
    manifest: &Manifest,
    files: &[Vec<u8>],
    card: Option<String>,
    others: &[(&str, &[u8])],
    models: &Path,
) -> Result<Release, ReleaseError> {
    let text = text(manifest)?;
    let card = card.unwrap_or_else(|| card::text(manifest));
    let weights = manifest.members.iter().zip(files).map(|(member, bytes)| (member.file.as_str(), bytes.as_slice()));
    let mut all: Vec<(&str, &[u8])> = weights.collect();
    all.extend(others);
    all.extend([(CARD, card.as_bytes()), (MANIFEST, text.as_bytes())]);
    Release::write(models, &manifest.name, &all)
}

/// `release.toml`, if the manifest makes sense.
pub(super) fn text(manifest: &Manifest) -> Result<String, ReleaseError> {
    let refuse = |reason| ReleaseError::Options { name: manifest.name.clone(), reason };
    manifest.check().map_err(refuse)?;
    toml::to_string(manifest).map_err(|error| refuse(error.to_string()))
}

/// A source's weights as float16 safetensors, known to build their network before and after, and where they come from.
fn convert(source: &Source, release: &str) -> Result<(Vec<u8>, Origin), ReleaseError> {
    let refuse =
        |error| ReleaseError::Weights { release: release.to_owned(), path: source.path.clone(), source: error };
    let read = |error| ReleaseError::Read { path: source.path.clone(), source: error };
    let bytes = super::read(&source.path, MAX_FILE_BYTES).map_err(read)?;
    let sha256 = Digest::of(&bytes);
    let mut weights = Weights::from_bytes(bytes).map_err(refuse)?;
    source.architecture.build(&mut weights, Form::Plain).map_err(refuse)?;
    let bytes = weights.to_safetensors().map_err(refuse)?;
    let mut written = Weights::from_bytes(bytes.clone()).map_err(refuse)?;
    source.architecture.build(&mut written, Form::Plain).map_err(refuse)?;
    let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((bytes, Origin { file, sha256 }))
}
