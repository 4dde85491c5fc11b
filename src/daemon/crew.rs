//! Who works beside the runtime: the threads of a daemon, started and stopped together.

use super::caretaker::Caretaker;
use super::drift;
use super::mail::{self, Outages};
use super::retention;
use super::upkeep::Upkeep;
use crate::config::Settings;
use crate::intake::{Claimed, Intake, Nudge, hints};
use crate::labels::LabelFolder;
use crate::memory;
use crate::station::{Station, limits};
use anyhow::Context as _;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// How long a stop waits for one of them. Training is told to end, and takes some time for that.
const PATIENCE: Duration = Duration::from_secs(40);
/// A mail that is on its way stays in the ledger, and the next start sends it; the same holds for what else they do.
const LITTLE_PATIENCE: Duration = Duration::from_secs(5);

/// All of them.
pub struct Crew {
    /// Says that the intake has ended.
    intake: mpsc::Receiver<()>,
    nudge: Nudge,
    caretakers: Vec<(Caretaker, Duration)>,
}

impl Crew {
    /// Starts them. What has been claimed comes out of the receiver; closing it ends the intake. Blocks.
    pub fn start(
        settings: &Settings,
        station: &Arc<Station>,
        outages: &Outages,
    ) -> anyhow::Result<(Self, Receiver<Claimed>)> {
        let (claims, claimed) = tokio::sync::mpsc::channel(1);
        let (nudge, hints) = hints();
        let desk = station.desk();
        let intake = Intake {
            state: station.state.clone(),
            settle: settings.settle.clone(),
            limits: limits(settings),
            identity: desk.grading.identity().clone(),
            ledger: station.ledger.clone(),
            start: desk.start,
            gauges: station.gauges.clone(),
            keep_free: settings.grading.keep_free.as_u64(),
            unread: outages.inbox.clone(),
        };
        let watch = nudge.clone();
        let (done, ended) = mpsc::channel::<()>();
        let run = move || {
            intake.run(hints, watch, &claims);
            drop(done);
        };
        std::thread::Builder::new().name("intake".into()).spawn(run).context("the intake thread cannot be started")?;

        let every = settings.settle.scan_every;
        let mut labels = LabelFolder::new(station.state.labels.clone(), station.ledger.clone(), settings.settle.quiet);
        let mut caretakers = vec![(Caretaker::start("labels", every, move || labels.look())?, LITTLE_PATIENCE)];
        if let Some(look) = mail::looks(settings, station, outages)? {
            caretakers.push((Caretaker::start("mail", every, look)?, LITTLE_PATIENCE));
        }
        caretakers.push((Caretaker::start("drift", drift::EVERY, drift::look(station))?, LITTLE_PATIENCE));
        if let Some(look) = retention::looks(settings.retention, station) {
            caretakers.push((Caretaker::start("retention", retention::EVERY, look)?, LITTLE_PATIENCE));
        }
        caretakers.push((Caretaker::start("memory", memory::GIVE_BACK_EVERY, memory::give_back)?, LITTLE_PATIENCE));
        let mut upkeep = Upkeep::new(settings, station.clone())?;
        caretakers.push((Caretaker::start("upkeep", every, move || upkeep.look())?, PATIENCE));
        Ok((Self { intake: ended, nudge, caretakers }, claimed))
    }

    /// Once what they claim is no longer received. Blocks.
    pub fn stop(self) {
        self.nudge.give();
        // a share may hold it up for ever; what it was taking is found by the next start
        let _ended = self.intake.recv_timeout(PATIENCE);
        for (caretaker, patience) in self.caretakers {
            caretaker.stop(patience);
        }
    }
}
