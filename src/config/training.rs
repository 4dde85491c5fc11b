//! `[training]`

use super::choices::{a_count, a_number_of_folds, a_share};
use crate::ensemble::VoteRule;
use crate::networks::Architecture;
use crate::training::{choice::ChoiceSettings, gate::Gate, recipe::RecipeName};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[training]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the keys are documented where users read them: config/kellgrend.toml
pub struct TrainingSettings {
    pub schedule: String,
    pub time_zone: String,
    #[serde(deserialize_with = "a_count")]
    pub labels: usize,
    #[serde(with = "humantime_serde")]
    pub pause: Duration,
    pub networks: Vec<Architecture>,
    #[serde(deserialize_with = "a_number_of_folds")]
    pub folds: usize,
    pub recipe: RecipeName,
    #[serde(deserialize_with = "a_share")]
    pub gold_share: f64,
    pub seed: u64,
    pub vote: VoteRule,
    pub promote: bool,
    pub choice: ChoiceSettings,
    pub gate: Gate,
    pub adjust: toml::Table,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            schedule: String::new(),
            time_zone: "UTC".to_owned(),
            labels: 100,
            pause: Duration::from_secs(7 * 86_400),
            networks: Vec::new(),
            folds: 5,
            recipe: RecipeName::default(),
            gold_share: 0.15,
            seed: 1,
            vote: VoteRule::default(),
            promote: true,
            choice: ChoiceSettings::default(),
            gate: Gate::default(),
            adjust: toml::Table::new(),
        }
    }
}
