//! What is seen of a run: a bar on a terminal, a line an epoch, rows in the ledger.

use super::Shop;
use crate::cli::progress::COUNTED;
use crate::ensemble::DeviceInUse;
use crate::ledger::{EpochRow, FitRow, Ledger};
use crate::state::Priority;
use crate::training::fit::{Epoch, FitError};
use crate::training::plan::FitName;
use crate::training::recipe::Keep;
use crate::training::run::Run;
use crate::training::work::Follow;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What stands above the epochs of a fit: as they end, a row each.
const HEADING: &str = "\n    EPOCH  TRAIN LOSS  LEFT-OUT LOSS  ACCURACY   KAPPA     TIME";

/// Shows a run and puts it on record.
pub(super) struct Follower {
    run: String,
    epochs: usize,
    keep: Keep,
    ledger: Ledger,
    priority: Priority,
    device: DeviceInUse,
    stop: Arc<AtomicBool>,
    unattended: bool,
    bar: ProgressBar,
    fit: String,
    failed: usize,
}

impl Follower {
    pub(super) fn new(run: &Run, shop: &Shop, stop: Arc<AtomicBool>) -> Self {
        let target = if shop.unattended { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(4) };
        Self {
            run: run.plan.name.clone(),
            epochs: run.plan.recipe.epochs,
            keep: run.plan.recipe.keep,
            ledger: shop.ledger.clone(),
            priority: shop.state.priority(),
            device: shop.device.clone(),
            stop,
            unattended: shop.unattended,
            bar: ProgressBar::with_draw_target(Some(0), target),
            fit: String::new(),
            failed: 0,
        }
    }

    /// How many fits have failed.
    pub(super) fn finish(self) -> usize {
        self.bar.finish_and_clear();
        self.failed
    }

    fn row(&self, fit: FitName) -> FitRow {
        FitRow { run: self.run.clone(), network: fit.network.to_string(), fold: fit.fold + 1 }
    }

    /// The run's folder has all that the ledger has: what cannot be put on record now is no reason to stop.
    fn record(&self, recorded: Result<(), crate::ledger::LedgerError>) {
        if let Err(error) = recorded {
            tracing::warn!("the run goes on, but the ledger does not have all of it: {error}");
        }
    }

    fn restart(&mut self, length: usize, template: &str) {
        self.bar.reset();
        self.bar.set_length(length as u64);
        self.bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
    }

    fn say(&self, line: &str) {
        match self.unattended {
            true => tracing::info!(run = self.run, "{line}"),
            false => self.bar.suspend(|| eprintln!("{line}")),
        }
    }
}

impl Follow for Follower {
    fn reading(&mut self, knees: usize, side: u32) {
        if self.bar.is_hidden() {
            self.say(&format!("reading {knees} knees, at {side} pixels"));
        }
        self.restart(knees, COUNTED);
        self.bar.set_message(format!("knees read, at {side} pixels"));
    }

    fn read(&mut self) -> bool {
        self.bar.inc(1);
        self.pause()
    }

    fn begins(&mut self, fit: FitName, epochs: &[Epoch]) {
        self.record(self.ledger.fit_begun(self.row(fit), epochs.iter().map(epoch_row).collect()));
        self.fit = fit.to_string();
        let heading = if self.unattended { "" } else { HEADING };
        match epochs.len() {
            0 => self.say(&format!("{fit} begins{heading}")),
            epochs => self.say(&format!("{fit} goes on after epoch {epochs}{heading}")),
        }
        self.restart(1, "{bar:20.cyan/blue} {pos:>5}/{len} {msg}, {eta} left");
    }

    fn step(&mut self, epoch: usize, step: usize, steps: usize) -> bool {
        if step == 0 {
            self.bar.reset();
            self.bar.set_length(steps as u64);
            self.bar.set_message(format!("{}, epoch {epoch}/{}", self.fit, self.epochs));
        }
        self.bar.set_position(step as u64);
        self.pause()
    }

    /// Knees that wait for a grade go first.
    fn pause(&mut self) -> bool {
        // whoever goes first may need its memory
        self.priority.wait_for_grading(|| self.stop.load(Ordering::Relaxed), || self.device.give_back());
        !self.stop.load(Ordering::Relaxed)
    }

    fn epoch(&mut self, fit: FitName, epoch: &Epoch) {
        self.record(self.ledger.epoch_ended(self.row(fit), epoch_row(epoch)));
        let Epoch { epoch: number, train_loss, loss, accuracy, quadratic_kappa, seconds, is_best, .. } = *epoch;
        let kappa = quadratic_kappa.map_or("    -".to_owned(), |kappa| format!("{kappa:.3}"));
        let mark = if is_best && self.keep == Keep::Best { "  best" } else { "" };
        let of = format!("{number}/{}", self.epochs);
        self.say(&match self.unattended {
            true => format!(
                "{fit} epoch {of}  loss {train_loss:.3}  left-out loss {loss:.3}  accuracy {accuracy:.3}  kappa {kappa}  \
                 {seconds:.0} s{mark}"
            ),
            false => format!("{of:>9}  {train_loss:>10.3}  {loss:>13.3}  {accuracy:>8.3}  {kappa:>6}  {seconds:>5.0} s{mark}"),
        });
    }

    fn ends(&mut self, fit: FitName, outcome: Result<&[Epoch], &FitError>) {
        if let Err(error) = outcome {
            self.failed += 1;
            self.say(&format!("{fit} has failed: {error}"));
        }
        let row = outcome.map(|curve| curve.iter().map(epoch_row).collect()).map_err(ToString::to_string);
        self.record(self.ledger.fit_ended(self.row(fit), row));
    }
}

fn epoch_row(epoch: &Epoch) -> EpochRow {
    let Epoch { epoch, rate, train_loss, loss, accuracy, quadratic_kappa, seconds, is_best } = *epoch;
    EpochRow { epoch, seconds, rate, train_loss, loss, accuracy, quadratic_kappa, is_best }
}
