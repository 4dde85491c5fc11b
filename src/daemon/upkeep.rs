//! What a daemon looks after besides radiographs: which release is in service, and whether a training is due.

use super::trainer::Trainer;
use crate::config::Settings;
use crate::station::Station;
use std::sync::Arc;

/// Looks after both.
pub struct Upkeep {
    station: Arc<Station>,
    trainer: Option<Trainer>,
}

impl Upkeep {
    /// An error for a schedule that is none.
    pub fn new(settings: &Settings, station: Arc<Station>) -> anyhow::Result<Self> {
        Ok(Self { trainer: Trainer::new(settings, &station)?, station })
    }

    /// Looks once.
    pub fn look(&mut self) {
        match self.station.follow_service() {
            Ok(None) => {}
            Ok(Some(release)) => tracing::info!(release, "grades from the next radiograph on"),
            Err(error) => {
                tracing::error!("the release in service cannot be taken up, and the one before goes on: {error:#}")
            }
        }
        if let Some(trainer) = &mut self.trainer
            && let Err(error) = trainer.look()
        {
            tracing::error!("training cannot be looked after: {error:#}");
        }
    }
}
