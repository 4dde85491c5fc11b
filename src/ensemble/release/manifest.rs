//! `release.toml`: what a release says of itself.

use super::super::{
    look::{FROM_AFAR, ZOOMS, from_afar},
    vote::VoteRule,
};
use crate::{digest::Digest, networks::Architecture};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const MAX_NAME: usize = 64;
const MAX_MEMBERS: usize = 64;

/// Below, nothing is left of a joint; above, the feature maps of one knee no longer fit in a common GPU.
pub const IMAGE_SIZES: std::ops::RangeInclusive<u32> = 64..=2048;

/// Below, every answer is as good as certain; above, as good as a guess.
pub const TEMPERATURES: std::ops::RangeInclusive<f64> = 0.05..=20.0;

/// The temperature of a network that nobody calibrated.
pub const AS_TRAINED: f64 = 1.0;

/// The file as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: String,
    pub created: Timestamp,
    pub vote: VoteRule,
    pub members: Vec<MemberEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metrics>,
    pub provenance: Provenance,
}

/// One member: a network, its weights' file and their hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// Unique in the release; votes bear it.
    pub name: String,
    /// Which network.
    pub architecture: Architecture,
    /// The side of its views in pixels.
    pub image_size: u32,
    /// Above 1: it looks at the knee's middle, too, so many times as large; not written where it does not.
    #[serde(default = "from_afar", skip_serializing_if = "is_from_afar")]
    pub zoom: f64,
    /// What its logits are divided by before the softmax; not written where it changes nothing.
    #[serde(default = "as_trained", skip_serializing_if = "is_as_trained")]
    pub temperature: f64,
    /// The fold that it did not see while it learnt, from 1; none for one that was not trained here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// The weights' file, beside `release.toml`.
    pub file: String,
    /// The weights' SHA-256.
    pub sha256: Digest,
}

/// Which grades a human should look at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// A grade whose mean probability is below this; above 1, every grade.
    pub threshold: f32,
    /// The share of knees that was not below it, when it was set.
    pub coverage: f64,
    /// The share of these that was graded right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

impl Review {
    fn is_sensible(&self) -> bool {
        (0.0..=MARKS_ALL).contains(&self.threshold) && (0.0..=1.0).contains(&self.coverage)
    }
}

/// A threshold that no grade reaches, however sure.
pub const MARKS_ALL: f32 = 2.0;

/// How well the release grades one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Which data, in words.
    pub data: String,
    /// How many knees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knees: Option<u32>,
    /// The share of knees with the right grade, 0 to 1.
    pub accuracy: f64,
    /// The mean over grades of the F1 score, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_f1: Option<f64>,
    /// Cohen's kappa with quadratic weights, -1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quadratic_kappa: Option<f64>,
}

/// Where a release comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The program and version that wrote it.
    pub program: String,
    /// What a human should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The files that were imported, in the members' order; none for a release trained here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Origin>,
}

/// An imported file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its name, without its folder.
    pub file: String,
    /// Its SHA-256.
    pub sha256: Digest,
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            format!("line {line}: {}", error.message())
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What the types do not say: plain names, members there and distinct, sizes and temperatures sensible.
    pub fn check(&self) -> Result<(), String> {
        plain_name(&self.name)?;
        if self.members.is_empty() || self.members.len() > MAX_MEMBERS {
            return Err(format!("it has {} members; 1 to {MAX_MEMBERS} are possible", self.members.len()));
        }
        let (mut names, mut files) = (BTreeSet::new(), BTreeSet::new());
        for member in &self.members {
            plain_name(&member.name)?;
            plain_name(&member.file)?;
            if !IMAGE_SIZES.contains(&member.image_size) {
                let (low, high) = (IMAGE_SIZES.start(), IMAGE_SIZES.end());
                let size = member.image_size;
                return Err(format!("member {} has image size {size}; {low} to {high} are possible", member.name));
            }
            if !ZOOMS.contains(&member.zoom) {
                let (low, high, zoom) = (ZOOMS.start(), ZOOMS.end(), member.zoom);
                return Err(format!("member {} has zoom {zoom}; {low} to {high} are possible", member.name));
            }
            if !TEMPERATURES.contains(&member.temperature) {
                let (low, high) = (TEMPERATURES.start(), TEMPERATURES.end());
                let temperature = member.temperature;
                return Err(format!(
                    "member {} has temperature {temperature}; {low} to {high} are possible",
                    member.name
                ));
            }
            if !names.insert(&member.name) || !files.insert(&member.file) {
                return Err(format!("member {} or its file {} is there twice", member.name, member.file));
            }
        }
        let review = self.review.as_ref();
        if let Some(Review { threshold, coverage, .. }) = review.filter(|review| !review.is_sensible()) {
            return Err(format!(
                "[review] has threshold {threshold} and coverage {coverage}; 0 to {MARKS_ALL} and 0 to 1 are possible"
            ));
        }
        Ok(())
    }
}

fn is_from_afar(zoom: &f64) -> bool {
    *zoom == FROM_AFAR
}

fn as_trained() -> f64 {
    AS_TRAINED
}

fn is_as_trained(temperature: &f64) -> bool {
    *temperature == AS_TRAINED
}

/// Names are also file names: no separators, nothing hidden, nothing that a shell would read otherwise.
pub fn plain_name(name: &str) -> Result<(), String> {
    let letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
    let start = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if letters && start && name.len() <= MAX_NAME {
        return Ok(());
    }
    Err(format!(
        "the name {name:?} is not of 1 to {MAX_NAME} letters from a-z, 0-9, '.', '_', '-', the first from a-z, 0-9"
    ))
}
