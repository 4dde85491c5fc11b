//! What a daemon looks after besides radiographs: which release is in service, and whether a training is due.

use super::trainer::Trainer;
use crate::config::Settings;
use crate::station::Station;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;

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

    /// Looks every so often, until the other end of `ended` is gone.
    pub fn run(mut self, every: Duration, ended: &mpsc::Receiver<()>) {
        loop {
            // whatever a look comes to, there is a next one
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                tracing::error!("looking after releases and training has failed; it is tried again");
            }
            if ended.recv_timeout(every) != Err(mpsc::RecvTimeoutError::Timeout) {
                break;
            }
        }
        if let Some(trainer) = self.trainer {
            trainer.stop();
        }
    }

    fn look(&mut self) {
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
