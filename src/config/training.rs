//! `[training]`

use super::choices::{a_count, a_number_of_folds, a_share};
use crate::ensemble::VoteRule;
use crate::networks::Architecture;
use crate::schedule::Schedule;
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

impl TrainingSettings {
    /// `schedule` in its zone; none where it is empty.
    pub fn schedule(&self) -> Result<Option<Schedule>, String> {
        Schedule::parse_any(&self.schedule, &self.time_zone)
    }

    /// Both in words, by which one schedule is told from another.
    pub fn schedule_in_words(&self) -> String {
        format!("{} {}", self.schedule, self.time_zone)
    }

    /// What the types do not say: what would be found wrong at night is found wrong at once.
    pub(super) fn check(&self) -> Result<(), String> {
        self.schedule().map_err(|error| format!("[training] schedule and time_zone: {error}"))?;
        self.recipe.adjusted(&self.adjust).map_err(|error| format!("[training.adjust]: {error}"))?;
        let within = |key: &str, value: f64, low: f64, high: f64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(format!("{key} = {value} is out of range: a number from {low} to {high} is meant")),
        };
        within("[training.choice] review_share", self.choice.review_share, 0.0, 1.0)?;
        // of one patient, all draws of patients are the same, and nothing is certain
        within("[training.gate] patients", self.gate.patients as f64, 2.0, 1e6)?;
        within("[training.gate] margin", self.gate.margin, -1.0, 1.0)?;
        within("[training.gate] recall_drop", self.gate.recall_drop, 0.0, 1.0)
    }
}
