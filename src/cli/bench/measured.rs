//! Which networks are measured.

use crate::digest::Digest;
use crate::ensemble::{DeviceInUse, Ensemble, Release, VoteRule};
use crate::networks::{Architecture, Form};
use crate::outbox::record::ReleaseFacts;

/// A release's, or untrained ones.
pub(super) enum Measured {
    Release(Box<Release>),
    Untrained(Vec<Architecture>),
}

impl Measured {
    /// All of them: a release that lacks one is not what should be measured.
    pub(super) fn build(&self, device: &DeviceInUse, form: Form) -> anyhow::Result<Ensemble> {
        Ok(match self {
            Self::Release(release) => Ensemble::load(release, device, form, 0)?,
            Self::Untrained(architectures) => Ensemble::untrained(architectures, device, form)?,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Release(release) => release.members().len(),
            Self::Untrained(architectures) => architectures.len(),
        }
    }

    /// The release's name.
    pub(super) fn release(&self) -> Option<String> {
        match self {
            Self::Release(release) => Some(release.name().to_owned()),
            Self::Untrained(_) => None,
        }
    }

    /// What a result says of them.
    pub(super) fn facts(&self) -> ReleaseFacts {
        let (name, digest, vote) = match self {
            Self::Release(release) => (release.name(), release.digest(), release.vote()),
            Self::Untrained(_) => ("untrained", Digest::of(b""), VoteRule::default()),
        };
        ReleaseFacts { name: name.to_owned(), digest, vote: vote.to_string() }
    }
}
