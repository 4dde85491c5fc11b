//! Making a release out of networks that were trained here.

use super::import::{PROGRAM, text, write};
use super::manifest::{Manifest, MemberEntry, Metrics, Provenance, Review};
use super::{Release, ReleaseError};
use crate::digest::Digest;
use crate::ensemble::vote::VoteRule;
use crate::networks::Architecture;
use jiff::Timestamp;
use std::path::Path;

/// One network that is to vote.
#[derive(Clone, Debug)]
pub struct TrainedMember {
    /// Which network.
    pub architecture: Architecture,
    /// The side of its views in pixels.
    pub image_size: u32,
    /// Above 1: it looks at the knee's middle, too, so many times as large.
    pub zoom: f64,
    /// What its logits are divided by.
    pub temperature: f64,
    /// The fold that it did not see, from 1.
    pub fold: usize,
    /// Its weights, safetensors.
    pub weights: Vec<u8>,
}

/// A release that is not yet written.
#[derive(Clone, Debug)]
pub struct Trained {
    manifest: Manifest,
    weights: Vec<Vec<u8>>,
}

impl Trained {
    /// Puts it together; `note` is what a human should know about where it comes from.
    pub fn new(
        name: &str,
        created: Timestamp,
        vote: VoteRule,
        members: Vec<TrainedMember>,
        review: Option<Review>,
        note: String,
    ) -> Self {
        let (members, weights) = members
            .into_iter()
            .map(|member| {
                let entry = MemberEntry {
                    name: member.architecture.name().to_owned(),
                    architecture: member.architecture,
                    image_size: member.image_size,
                    zoom: member.zoom,
                    temperature: member.temperature,
                    fold: Some(member.fold),
                    file: format!("{}.safetensors", member.architecture),
                    sha256: Digest::of(&member.weights),
                };
                (entry, member.weights)
            })
            .unzip();
        let provenance = Provenance { program: PROGRAM.to_owned(), note: Some(note), sources: Vec::new() };
        let manifest =
            Manifest { name: name.to_owned(), created, vote, members, review, metrics: Vec::new(), provenance };
        Self { manifest, weights }
    }

    /// Says how well it grades.
    pub fn measured(&mut self, metrics: Vec<Metrics>) {
        self.manifest.metrics = metrics;
    }

    /// The digest that it will have.
    pub fn digest(&self) -> Result<Digest, ReleaseError> {
        Ok(Digest::of(text(&self.manifest)?.as_bytes()))
    }

    /// Its members.
    pub fn members(&self) -> &[MemberEntry] {
        &self.manifest.members
    }

    /// Writes it, with other files beside it.
    pub fn write(&self, models: &Path, others: &[(&str, &[u8])]) -> Result<Release, ReleaseError> {
        write(&self.manifest, &self.weights, None, others, models)
    }
}
