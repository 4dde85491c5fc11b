//! Training on a schedule: in a process of its own, so that whatever happens to it, grading goes on.

use crate::config::Settings;
use crate::ledger::{Ledger, TrainingFacts};
use crate::schedule::{Conditions, Decision, Facts, Pass, Schedule};
use crate::state::{State, replace};
use crate::station::Station;
use anyhow::Context as _;
use jiff::Timestamp;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A process that ends without having ended its run is started again so many times.
const ATTEMPTS: usize = 3;

/// And not at once.
const PAUSE: Duration = Duration::from_secs(60);

/// A process that was asked to end and does not is killed; its run goes on from the last epoch.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts training when it is due.
pub struct Trainer {
    schedule: Schedule,
    /// The schedule in words: with another one, nothing was missed.
    words: String,
    conditions: Conditions,
    settings: Settings,
    state: State,
    ledger: Ledger,
    child: Option<Child>,
    /// The slot that the process is for, until its run is on record.
    slot: Option<Timestamp>,
    attempts: usize,
    /// Epochs of the run that were over when a process ended last.
    epochs: u64,
    not_before: Instant,
}

impl Trainer {
    /// None where no schedule is set.
    pub fn new(settings: &Settings, station: &Station) -> anyhow::Result<Option<Self>> {
        let training = &settings.training;
        let (ledger, words) = (station.ledger.clone(), training.schedule_in_words());
        let schedule = training.schedule().map_err(anyhow::Error::msg)?;
        // without one, too: what was due before it is set again was not missed
        ledger.schedule_set(schedule.as_ref().map_or(String::new(), |_| words.clone()))?;
        let Some(schedule) = schedule else { return Ok(None) };
        let next = schedule.next(Timestamp::now()).map_or("never".to_owned(), |next| format!("{next:.0}"));
        tracing::info!(schedule = words, next, "training is scheduled");
        Ok(Some(Self {
            schedule,
            words,
            conditions: Conditions { labels: training.labels, pause: training.pause },
            settings: settings.clone(),
            state: station.state.clone(),
            ledger,
            child: None,
            slot: None,
            attempts: 0,
            epochs: 0,
            not_before: Instant::now(),
        }))
    }

    /// Sees to the process that runs, and to what is due.
    pub fn look(&mut self) -> anyhow::Result<()> {
        if let Some(child) = &mut self.child {
            match child.try_wait()? {
                Some(status) => self.ended(status)?,
                None => return self.pass_over(),
            }
        }
        if Instant::now() < self.not_before {
            return Ok(());
        }
        match self.facts()?.open {
            Some(run) => {
                tracing::info!(run, "a training that was broken off goes on");
                self.spawn(&["--run", &run])
            }
            None => self.decide(),
        }
    }

    fn facts(&self) -> anyhow::Result<TrainingFacts> {
        Ok(self.ledger.training_facts(self.words.clone())?)
    }

    fn decision(&self, is_running: bool) -> anyhow::Result<Decision> {
        let TrainingFacts { decided, last_begun, .. } = self.facts()?;
        let Some(decided) = decided else {
            // it was set while the clock was ahead
            self.ledger.schedule_set(self.words.clone())?;
            return Ok(Decision::Wait);
        };
        let (enough, now) = (usize::MAX, Timestamp::now());
        let facts = Facts { decided, new_labels: enough, last_begun, is_running };
        Ok(match self.schedule.decide(self.conditions, facts, now) {
            // all labels are gone through for that, and so only where they decide
            Decision::Begin { .. } => {
                let facts = Facts { new_labels: self.ledger.unlearnt_labels()?, ..facts };
                self.schedule.decide(self.conditions, facts, now)
            }
            other => other,
        })
    }

    /// While one runs, what is due is passed over; until its run is on record, its own slot is what is due.
    fn pass_over(&self) -> anyhow::Result<()> {
        if self.facts()?.open.is_none() {
            return Ok(());
        }
        match self.decision(true)? {
            Decision::Pass { slot, why } => self.pass(slot, why),
            Decision::Wait | Decision::Begin { .. } => Ok(()),
        }
    }

    fn pass(&self, slot: Timestamp, why: Pass) -> anyhow::Result<()> {
        tracing::info!("no training begins: {why}");
        Ok(self.ledger.slot_decided(slot, self.words.clone(), format!("passed over: {why}"))?)
    }

    fn decide(&mut self) -> anyhow::Result<()> {
        match self.decision(false)? {
            Decision::Wait => Ok(()),
            Decision::Pass { slot, why } => self.pass(slot, why),
            // the slot is decided when the run is on record: until then a crash costs nothing
            Decision::Begin { slot } => {
                self.slot = Some(slot);
                self.spawn(&["--labels", "--slot", &slot.to_string()])
            }
        }
    }

    fn spawn(&mut self, what: &[&str]) -> anyhow::Result<()> {
        // the settings in force, whatever the command line has changed in them
        let settings = self.state.training.join("settings.toml");
        replace(&settings, self.settings.to_toml().as_bytes()).with_context(|| settings.display().to_string())?;
        // this very program, even where another has taken its place on disk since
        let mut command = Command::new("/proc/self/exe");
        command.arg0("kellgrend").arg("train").args(what).arg("--unattended").arg("--state").arg(&self.state.root);
        command.arg("--config").arg(&settings).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["KELLGREND_STATE", "KELLGREND_CONFIG", "KELLGREND_DEVICE", "KELLGREND_LOG"] {
            command.env_remove(name);
        }
        self.child = Some(command.spawn().context("the training process cannot be started")?);
        Ok(())
    }

    /// A process has ended; whether its run has, the ledger knows.
    fn ended(&mut self, status: ExitStatus) -> anyhow::Result<()> {
        self.child = None;
        let slot = self.slot.take();
        let TrainingFacts { open, decided, .. } = self.facts()?;
        // what cannot be begun says so itself
        let is_decided = slot.is_some() && decided >= slot;
        if open.is_none() && (status.success() || status.code() == Some(1) || is_decided) {
            (self.attempts, self.epochs) = (0, 0);
            return Ok(());
        }
        self.not_before = Instant::now() + PAUSE;
        if status.success() {
            // others are at work on its run
            return Ok(());
        }
        // what came further was not in vain
        let epochs = open.as_ref().map_or(Ok(0), |run| self.ledger.epochs_of(run.clone()))?;
        if epochs > self.epochs {
            self.attempts = 0;
        }
        self.epochs = epochs;
        self.attempts += 1;
        tracing::error!(attempt = self.attempts, "training ended with {status}; its own messages say why");
        if self.attempts < ATTEMPTS {
            return Ok(());
        }
        (self.attempts, self.epochs) = (0, 0);
        let reason = format!("its process ended {ATTEMPTS} times too early, the last time with {status}");
        match (open, slot) {
            (Some(run), _) => Ok(self.ledger.run_failed(run, reason)?),
            (None, Some(slot)) => Ok(self.ledger.slot_failed(slot, self.words.clone(), &reason)?),
            (None, None) => Ok(()),
        }
    }
}

impl Drop for Trainer {
    /// Asks the process to end, and waits for it: its run goes on at the next start.
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _gone = (child.kill(), child.wait());
    }
}
