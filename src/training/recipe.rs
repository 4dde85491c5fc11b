//! How a network is trained: every number that the fit takes.

use super::{augmentation::Augmentation, optimiser::Optimiser};
use crate::ensemble::look::{FROM_AFAR, ZOOMS, from_afar};
use crate::ensemble::release::{IMAGE_SIZES, Release};
use crate::networks::Architecture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A recipe's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RecipeName {
    /// The paper's, from torchvision's ImageNet weights.
    Paper,
    /// From weights that have learnt nothing.
    Scratch,
    /// From the release in service.
    #[default]
    FineTune,
}

/// Where a network's first weights come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Random numbers.
    Scratch,
    /// torchvision's ImageNet weights, in `imagenet/` of the state folder, with a new last layer.
    Imagenet,
    /// The network of the same architecture that the run of the release in service fitted without the same fold or, where patients do
    /// not stay in its folds, the release's member; without one, random numbers.
    Release,
}

/// How the rate falls once it is at its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decline {
    /// Along half a cosine, to nothing at the last epoch.
    Cosine,
    /// Times `decline_factor` once all layers have learnt for `decline_after` epochs.
    Step,
}

/// What is done about grades that are rarer than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// Nothing.
    None,
    /// A rare grade's cross-entropy counts more.
    Weights,
    /// A rare grade's knees are drawn more often.
    Sampling,
}

/// Which epoch's weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The last.
    Last,
    /// The best, as `tolerance` says.
    Best,
}

/// All numbers of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Where the first weights come from.
    pub start: Start,
    /// The side of the views in pixels; 0: the architecture's own.
    pub image_size: u32,
    /// Above 1: whoever is judged, and grades, looks at the knee's middle, too, so many times as large. Learning goes from the
    /// whole knee alone. 0: as the release in service looks.
    #[serde(default = "from_afar")]
    pub zoom: f64,
    /// Rounds of learning. After each, the network is judged, and what it takes to go on is kept.
    pub epochs: usize,
    /// Times that an epoch goes over the knees: more of few knees, so that judging and keeping do not take longer than learning.
    #[serde(default = "once")]
    pub passes: usize,
    /// Epochs at first that learn from smaller pictures, in a fraction of the time: Tan and Le, "EfficientNetV2: Smaller Models
    /// and Faster Training", ICML 2021, section 4, <https://arxiv.org/abs/2104.00298>.
    #[serde(default)]
    pub small_epochs: usize,
    /// The side of these, as a share of the whole side.
    #[serde(default = "half")]
    pub small_side: f64,
    /// Knees a step.
    pub batch: usize,
    /// Epochs at first in which the last layer alone learns, by an optimiser of its own.
    pub head_epochs: usize,
    /// The rate in these.
    pub head_rate: f64,
    /// Adam or AdamW.
    pub optimiser: Optimiser,
    /// The rate at its height.
    pub rate: f64,
    /// Epochs until it is there.
    pub warm_up: f64,
    /// How it falls.
    pub decline: Decline,
    /// With `step`: after so many epochs.
    pub decline_after: f64,
    /// With `step`: what the rate is multiplied by.
    pub decline_factor: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Cross-entropy gives the four other grades this share of the truth, together with the grade itself.
    pub label_smoothing: f64,
    /// What the squared earth mover's distance counts beside cross-entropy: a grade that is two off is worse than a neighbour.
    #[serde(default)]
    pub ordinal: f64,
    /// Each step follows the gradient from where the loss is worst at so far from the weights: twice the time, for weights around
    /// which it stays low. Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021,
    /// <https://arxiv.org/abs/2010.01412>. 0: from the weights.
    #[serde(default)]
    pub sharpness: f64,
    /// The share of the networks' own dropout and stochastic depth that is in force; of the eight the EfficientNets have some. 1: as
    /// published, 0: none, as it was before this setting was there.
    #[serde(default)]
    pub omission: f64,
    /// Every knee is blended with another one, which gets up to this share of the picture and of the truth. 0: none is.
    #[serde(default)]
    pub mix: f64,
    /// How much of the running mean of all weights is kept at a step; that mean is what is kept and judged. 0: the weights.
    pub average: f64,
    /// What is kept and judged is blended with the weights that the fit began from, where those are of the release in service; this is
    /// their share. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, <https://arxiv.org/abs/2109.01903>.
    #[serde(default)]
    pub blend: f64,
    /// Rare grades.
    pub balance: Balance,
    /// With `weights`: how much more. 1: all knees of a grade count together as those of any other; 0.5: by the square root of that.
    #[serde(default = "whole")]
    pub balance_power: f64,
    /// Which epoch's weights are kept.
    pub keep: Keep,
    /// Epochs that are not among the best, in a row, after which a fit ends; 0: it never ends early.
    pub patience: usize,
    /// An epoch is the new best unless its loss on the left-out fold is this much above that of the last best: the published
    /// recipe's rule, by which a slow rise is no reason to stop.
    pub tolerance: f64,
    /// What is done to the pictures.
    pub augmentation: Augmentation,
}

/// Pixels a place of the networks' last maps: sides that are multiples of it lose nothing at the edges.
const STRIDE: i64 = 32;

/// Settings that are no recipe, in words.
#[derive(Debug, thiserror::Error)]
#[error("the recipe cannot be used: {0}")]
pub struct NotARecipe(String);

impl RecipeName {
    /// The recipe, before anything is changed in it.
    pub fn recipe(self) -> Recipe {
        match self {
            // after Pi et al., the recipe that goes with the eight networks
            Self::Paper => Recipe {
                start: Start::Imagenet,
                image_size: 0,
                zoom: FROM_AFAR,
                epochs: 30,
                passes: 1,
                small_epochs: 0,
                small_side: 0.5,
                batch: 16,
                head_epochs: 1,
                head_rate: 0.01,
                optimiser: Optimiser::Adam,
                rate: 0.001,
                warm_up: 0.0,
                decline: Decline::Step,
                decline_after: 2.0,
                decline_factor: 0.1,
                weight_decay: 1e-4,
                label_smoothing: 0.1,
                ordinal: 0.0,
                sharpness: 0.0,
                omission: 1.0,
                mix: 0.0,
                average: 0.0,
                blend: 0.0,
                balance: Balance::None,
                balance_power: 1.0,
                keep: Keep::Best,
                patience: 7,
                tolerance: 0.1,
                augmentation: Augmentation { flip: 0.5, rotation: 20.0, ..Augmentation::NONE },
            },
            Self::Scratch => Recipe {
                start: Start::Scratch,
                image_size: 0,
                zoom: FROM_AFAR,
                epochs: 60,
                passes: 1,
                small_epochs: 0,
                small_side: 0.5,
                batch: 64,
                head_epochs: 0,
                head_rate: 0.0,
                optimiser: Optimiser::AdamW,
                rate: 1e-3,
                warm_up: 3.0,
                decline: Decline::Cosine,
                decline_after: 0.0,
                decline_factor: 1.0,
                weight_decay: 0.05,
                label_smoothing: 0.1,
                ordinal: 0.0,
                sharpness: 0.0,
                omission: 1.0,
                mix: 0.0,
                average: 0.998,
                blend: 0.0,
                balance: Balance::None,
                balance_power: 1.0,
                keep: Keep::Best,
                patience: 0,
                tolerance: 0.0,
                augmentation: Augmentation::STRONG,
            },
            Self::FineTune => Recipe {
                start: Start::Release,
                zoom: 0.0,
                epochs: 12,
                rate: 1e-4,
                warm_up: 1.0,
                patience: 5,
                ..Self::Scratch.recipe()
            },
        }
    }

    /// The recipe with some of its numbers changed, as `[training.adjust]` and `--set` do.
    pub fn adjusted(self, changes: &toml::Table) -> Result<Recipe, NotARecipe> {
        let not = |error: &dyn std::fmt::Display| NotARecipe(error.to_string().trim_end().to_owned());
        let mut table = toml::Table::try_from(self.recipe()).map_err(|error| not(&error))?;
        overlay(&mut table, changes);
        let mut recipe: Recipe = table.try_into().map_err(|error| not(&error))?;
        if !changes.contains_key("warm_up") {
            // of few epochs, as large a part as it is of many
            let part = self.recipe().warm_up / self.recipe().epochs as f64;
            recipe.warm_up = recipe.warm_up.min(part * recipe.epochs as f64);
        }
        recipe.checked().map_err(NotARecipe)
    }
}

/// Writes changes over what is there, key by key.
pub fn overlay(table: &mut toml::Table, changes: &toml::Table) {
    for (key, change) in changes {
        match (table.get_mut(key), change) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(changes)) => overlay(inner, changes),
            // 1 is meant where 1.0 stands
            (Some(toml::Value::Float(value)), toml::Value::Integer(change)) => *value = *change as f64,
            _ => drop(table.insert(key.clone(), change.clone())),
        }
    }
}

/// The side of a network's pictures in a release; where it has no such network, the architecture's own.
pub fn side_of(network: Architecture, release: &Release) -> u32 {
    let member = release.members().find(|member| member.entry().architecture == network);
    member.map_or(network.image_size(), |member| member.entry().image_size)
}

impl Recipe {
    fn checked(self) -> Result<Self, String> {
        let within = |name: &str, value: f64, low: f64, high: f64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(format!("{name} is {value}, and {low} to {high} are possible")),
        };
        within("epochs", self.epochs as f64, 1.0, 10_000.0)?;
        within("passes", self.passes as f64, 1.0, 1000.0)?;
        within("small_epochs", self.small_epochs as f64, 0.0, self.epochs as f64)?;
        within("small_side", self.small_side, 0.1, 1.0)?;
        within("batch", self.batch as f64, 2.0, 4096.0)?;
        within("rate", self.rate, 0.0, 10.0)?;
        within("head_epochs", self.head_epochs as f64, 0.0, self.epochs as f64)?;
        within("decline_after", self.decline_after, 0.0, 10_000.0)?;
        within("decline_factor", self.decline_factor, 0.0, 1.0)?;
        within("head_rate", self.head_rate, 0.0, 10.0)?;
        within("warm_up", self.warm_up, 0.0, self.epochs as f64)?;
        within("weight_decay", self.weight_decay, 0.0, 10.0)?;
        within("label_smoothing", self.label_smoothing, 0.0, 0.9)?;
        within("ordinal", self.ordinal, 0.0, 100.0)?;
        within("sharpness", self.sharpness, 0.0, 10.0)?;
        within("omission", self.omission, 0.0, 2.0)?;
        within("mix", self.mix, 0.0, 1.0)?;
        within("average", self.average, 0.0, 0.999_999)?;
        within("blend", self.blend, 0.0, 1.0)?;
        if self.blend > 0.0 && self.start != Start::Release {
            return Err("blend is for a start from the release in service".to_owned());
        }
        if self.head_epochs > 0 && self.head_rate == 0.0 {
            return Err("nothing is learnt in head_epochs where head_rate is 0; set both".to_owned());
        }
        if self.decline == Decline::Step && self.decline_factor == 1.0 {
            return Err(
                "with decline = step the rate never falls where decline_factor is 1; set it, and decline_after"
                    .to_owned(),
            );
        }
        within("balance_power", self.balance_power, 0.0, 1.0)?;
        within("tolerance", self.tolerance, 0.0, 100.0)?;
        if self.image_size != 0 {
            within("image_size", self.image_size.into(), (*IMAGE_SIZES.start()).into(), (*IMAGE_SIZES.end()).into())?;
        }
        if self.zoom != 0.0 {
            within("zoom", self.zoom, *ZOOMS.start(), *ZOOMS.end())?;
        }
        self.augmentation.check()?;
        Ok(self)
    }

    /// The recipe with its zoom and side settled, where this release is in service: of its members the one that looks closest counts,
    /// and what goes on from it keeps its side, where these networks have one in common.
    pub fn going_on_from(mut self, release: &Release, networks: &[Architecture]) -> Self {
        if self.image_size == 0 && self.start == Start::Release {
            let sides: BTreeSet<u32> = networks.iter().map(|&network| side_of(network, release)).collect();
            let are_own = networks.iter().all(|&network| side_of(network, release) == network.image_size());
            self.image_size = sides.first().copied().filter(|_| sides.len() == 1 && !are_own).unwrap_or(0);
        }
        if self.zoom == 0.0 {
            self.zoom = release.members().map(|member| member.entry().zoom).fold(FROM_AFAR, f64::max);
        }
        self
    }

    /// Every number by its name, as a setting is named: `augmentation.flip`.
    pub fn numbers(&self) -> Vec<(String, String)> {
        let mut numbers = Vec::new();
        if let Ok(table) = toml::Table::try_from(self) {
            flatten("", &table, &mut numbers);
        }
        numbers
    }

    /// The side of the pictures that an epoch, counted from 0, learns from, where `whole` is that of those which are judged.
    pub fn side(&self, epoch: usize, whole: i64) -> i64 {
        if epoch >= self.small_epochs || self.small_side >= 1.0 {
            return whole;
        }
        let steps = (self.small_side * whole as f64 / STRIDE as f64).round() as i64;
        (STRIDE * steps.max(1)).min(whole)
    }

    /// The rate, so many epochs after all layers began to learn.
    pub fn rate(&self, epochs: f64) -> f64 {
        if epochs < self.warm_up {
            return self.rate * epochs / self.warm_up;
        }
        let whole = (self.epochs - self.head_epochs.min(self.epochs)) as f64;
        self.rate
            * match self.decline {
                Decline::Step if epochs >= self.decline_after => self.decline_factor,
                Decline::Step => 1.0,
                Decline::Cosine => {
                    let passed = (epochs - self.warm_up) / (whole - self.warm_up).max(f64::EPSILON);
                    0.5 * (1.0 + (std::f64::consts::PI * passed.min(1.0)).cos())
                }
            }
    }
}

fn once() -> usize {
    1
}

fn half() -> f64 {
    0.5
}

fn whole() -> f64 {
    1.0
}

fn flatten(above: &str, table: &toml::Table, into: &mut Vec<(String, String)>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => flatten(&format!("{above}{key}."), inner, into),
            toml::Value::String(word) => into.push((format!("{above}{key}"), word.clone())),
            other => into.push((format!("{above}{key}"), other.to_string())),
        }
    }
}
