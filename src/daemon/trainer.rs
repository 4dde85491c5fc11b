//! Training on a schedule: in a process of its own, so that whatever happens to it, grading goes on.

use crate::config::Settings;
use crate::ledger::{Ledger, RunOutcome, TrainingFacts};
use crate::schedule::{Conditions, Decision, Facts, Schedule};
use crate::state::{State, replace};
use crate::station::Station;
use anyhow::Context as _;
use jiff::Timestamp;
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
    attempts: usize,
    not_before: Instant,
}

impl Trainer {
    /// None where no schedule is set; an error for one that is none.
    pub fn new(settings: &Settings, station: &Station) -> anyhow::Result<Option<Self>> {
        let training = &settings.training;
        if training.schedule.is_empty() {
            return Ok(None);
        }
        let schedule = Schedule::parse(&training.schedule, &training.time_zone).map_err(anyhow::Error::msg);
        let schedule = schedule.context("[training] schedule and time_zone")?;
        // what the process would find wrong at night is found wrong now
        training.recipe.adjusted(&training.adjust).context("[training.adjust]")?;
        let words = format!("{} {}", training.schedule, training.time_zone);
        let ledger = station.ledger.clone();
        ledger.schedule_set(words.clone())?;
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
            attempts: 0,
            not_before: Instant::now(),
        }))
    }

    /// Sees to the process that runs, and to what is due.
    pub fn look(&mut self) -> anyhow::Result<()> {
        if let Some(child) = &mut self.child {
            let Some(status) = child.try_wait()? else { return self.decide(true) };
            self.child = None;
            self.ended(status)?;
        }
        let facts = self.ledger.training_facts(self.words.clone())?;
        if let Some(run) = facts.open.filter(|_| Instant::now() >= self.not_before) {
            tracing::info!(run, "a training that was broken off goes on");
            return self.spawn(&["--run", &run]);
        }
        self.decide(false)
    }

    fn decide(&mut self, is_running: bool) -> anyhow::Result<()> {
        let TrainingFacts { decided, new_labels, last_begun, open } = self.ledger.training_facts(self.words.clone())?;
        let is_running = is_running || open.is_some();
        let Some(decided) = decided else { return Ok(()) };
        let facts = Facts { decided, new_labels, last_begun, is_running };
        match self.schedule.decide(self.conditions, facts, Timestamp::now()) {
            Decision::Wait => Ok(()),
            Decision::Pass { slot, why } => {
                tracing::info!("no training begins: {why}");
                Ok(self.ledger.slot_decided(slot, self.words.clone(), format!("passed over: {why}"))?)
            }
            Decision::Begin { slot } => {
                self.ledger.slot_decided(slot, self.words.clone(), "begun".to_owned())?;
                self.attempts = 0;
                self.spawn(&["--labels"])
            }
        }
    }

    fn spawn(&mut self, what: &[&str]) -> anyhow::Result<()> {
        // the settings in force, whatever the command line has changed in them
        let settings = self.state.training.join("settings.toml");
        replace(&settings, self.settings.to_toml().as_bytes()).with_context(|| settings.display().to_string())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("train").args(what).arg("--unattended").arg("--state").arg(&self.state.root);
        command.arg("--config").arg(&settings).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["KELLGREND_STATE", "KELLGREND_CONFIG", "KELLGREND_DEVICE", "KELLGREND_LOG"] {
            command.env_remove(name);
        }
        self.child = Some(command.spawn().context("the training process cannot be started")?);
        Ok(())
    }

    /// A process has ended; whether its run has, the ledger knows.
    fn ended(&mut self, status: ExitStatus) -> anyhow::Result<()> {
        let Some(run) = self.ledger.training_facts(self.words.clone())?.open else {
            self.attempts = 0;
            if !status.success() && status.code() != Some(1) {
                tracing::error!("training ended with {status}; its own messages say why");
            }
            return Ok(());
        };
        self.not_before = Instant::now() + PAUSE;
        if status.success() {
            // others are at work on it
            return Ok(());
        }
        self.attempts += 1;
        tracing::error!(run, attempt = self.attempts, "training ended with {status} before its run did");
        if self.attempts >= ATTEMPTS {
            self.attempts = 0;
            let reason = format!("its process ended {ATTEMPTS} times before it did, the last time with {status}");
            self.ledger.run_ended(run, RunOutcome::Failed, None, reason)?;
        }
        Ok(())
    }

    /// Asks the process to end, and waits for it: its run goes on at the next start.
    pub fn stop(self) {
        let Some(mut child) = self.child else { return };
        let ask = || rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?);
        if let Some(pid) = ask() {
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
