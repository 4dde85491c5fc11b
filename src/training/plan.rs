//! What a run is to do, written down before it begins and never changed: `run.toml`.

use super::{choice::ChoiceSettings, gate::Gate, recipe::Recipe};
use crate::digest::Digest;
use crate::ensemble::{Look, VoteRule};
use crate::networks::Architecture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The run's name, and that of the release it makes.
    pub name: String,
    /// When it began.
    pub created: Timestamp,
    /// `command line` or `schedule`.
    pub origin: String,
    /// What it learns from, in words.
    pub data: String,
    /// Whether that is the readers' labels.
    pub of_labels: bool,
    /// SHA-256 of `knees.csv`.
    pub knees: Digest,
    /// Where chance begins.
    pub seed: u64,
    /// The networks.
    pub networks: Vec<Architecture>,
    /// Into how many folds the knees are dealt.
    pub folds: usize,
    /// The folds of each network that are fitted, counted from 1.
    pub fitted_folds: Vec<usize>,
    /// How votes become a grade.
    pub vote: VoteRule,
    /// The release that the new one is held against.
    pub champion: Champion,
    /// The run that made it, where each fit here goes on from the one there that left out the same patients.
    pub parent: Option<String>,
    /// The release that the first of these runs began from, and that may have seen any of the knees.
    pub ancestor: Option<String>,
    /// So many of the gold knees, which somebody named, the release in service has learnt from.
    #[serde(default)]
    pub known_gold: usize,
    /// Whether the new one takes its place where the gate lets it.
    pub promote: bool,
    /// How the networks are trained.
    pub recipe: Recipe,
    /// How members are chosen.
    pub choice: ChoiceSettings,
    /// What is asked of the new release.
    pub gate: Gate,
}

/// The release in service when a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Champion {
    /// Its name.
    pub name: String,
    /// SHA-256 of its `release.toml`.
    pub sha256: String,
    /// Whether runs that are here say all that it has learnt from.
    #[serde(default)]
    pub is_known: bool,
}

/// One network and the fold that it does not see, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FitName {
    /// The network.
    pub network: Architecture,
    /// The fold.
    pub fold: usize,
}

impl FitName {
    /// Its folder in the run.
    pub fn folder(self) -> String {
        format!("{}-fold{}", self.network, self.fold + 1)
    }
}

impl fmt::Display for FitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} fold {}", self.network, self.fold + 1))
    }
}

impl Plan {
    /// All fits, those of one image size behind each other, since they share their pictures.
    pub fn fits(&self) -> Vec<FitName> {
        let mut networks = self.networks.clone();
        networks.sort_by_key(|&network| self.image_size(network));
        let of = |network| self.fitted_folds.iter().map(move |fold| FitName { network, fold: fold - 1 });
        networks.into_iter().flat_map(of).collect()
    }

    /// The side of a network's views in pixels.
    pub fn image_size(&self, network: Architecture) -> u32 {
        if self.recipe.image_size == 0 { network.image_size() } else { self.recipe.image_size }
    }

    /// How a network looks at knees when it is judged, first at all of them.
    pub fn looks(&self, network: Architecture) -> Vec<Look> {
        Look::all(self.image_size(network), self.recipe.zoom)
    }

    /// What must be known of the gold knees, for the eyes of who reads how well they were graded.
    pub fn gold_in_words(&self) -> String {
        let Champion { name, is_known, .. } = &self.champion;
        let known = match self.known_gold {
            // what it went on from is named below
            0 if *is_known || self.ancestor.is_some() => None,
            0 => Some(format!("nobody here knows all that {name} has learnt from")),
            some if *is_known => Some(format!("{name} has learnt from {some} of them")),
            some => Some(format!("{name} has learnt from {some} of them at least")),
        };
        let began = self.ancestor.as_ref().map(|name| format!("{name}, where the networks began, may know them"));
        match Vec::from_iter(known.into_iter().chain(began)).join(", and ") {
            none if none.is_empty() => "that nothing was learnt from".to_owned(),
            but => format!("not learnt from here, though {but}"),
        }
    }

    /// Where a fit's chance begins.
    pub fn seed_of(&self, fit: FitName) -> u64 {
        let bytes = Digest::of(format!("{} {fit}", self.seed).as_bytes()).bytes();
        u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
    }
}
