//! `kellgrend train`

mod begin;
mod end;
mod follow;
mod recipes;

use super::{Exit, Failure, Global, runtime, start_log, usage};
use crate::config::{LogLevel, Settings};
use crate::ensemble::{DeviceInUse, Release, settle};
use crate::ledger::{Ledger, RunRow, timestamp};
use crate::networks::Architecture;
use crate::state::State;
use crate::station::decoders;
use crate::training::plan::FitName;
use crate::training::run::Run;
use crate::training::work::{End, Workshop};
use begin::{Asked, Begin};
use follow::Follower;
use jiff::Timestamp;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// Train networks on labelled knees, choose the best, and make a release of them
///
/// The folder that a file lies in says its grade, as for `kellgrend evaluate`; --labels takes the readers' grades of the
/// archive instead. Patients are dealt to folds ([training] folds, five by default), each network is fitted once a fold, each time without
/// that fold, and what it says of the fold that it did not see decides which fits join the ensemble. The new release is held against the
/// one in service on knees that it has not learnt from (the gold set).
///
/// The training set and the plan are frozen in training/RUN below the state folder. A run that was interrupted, however it
/// was, goes on with `kellgrend train --run RUN` from the last epoch; started several times, on a machine with several GPUs
/// say, processes take different fits. Whoever ends the last one makes the release.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{}\n\n{EXAMPLES}", recipes::table()))]
pub(super) struct Train {
    #[command(flatten)]
    begin: Begin,
    /// Go on with this run, or help with it, instead of beginning one
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "labels", "name", "gold", "set", "recipe", "seed"])]
    run: Option<String>,
    /// These networks only, separated by commas; of a run that was begun: those that this process fits
    ///
    /// Default: [training] networks; without any, those of the release in service.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    networks: Vec<Architecture>,
    /// These folds only, counted from 1; of a run that was begun: those that this process fits
    #[arg(long, value_name = "N", value_delimiter = ',')]
    only_folds: Vec<usize>,
    /// Try failed fits again
    #[arg(long, requires = "run")]
    again: bool,
    /// Put the new release into service if the gate lets it
    #[arg(long)]
    promote: bool,
    /// Log what would be shown, and take [training] at its word: as the schedule starts it
    #[arg(long, hide = true)]
    unattended: bool,
    /// The time of the schedule that this is for
    #[arg(long, hide = true, requires = "unattended")]
    slot: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Try:
  kellgrend train --labels                              on the clinic's own labels, from the release in service
  kellgrend train knees/train --gold knees/val          on folders named 0 to 4, compared on another set
  kellgrend train knees --recipe scratch --networks shufflenet_v2_x2_0 --only-folds 1
  kellgrend train knees --set epochs=5 --set augmentation.rotation=10
  kellgrend train --run NAME --networks resnet101       a share of a run, beside other processes
  kellgrend report fits                                 how far it is; `report epochs` has the learning curves

Exit codes: 0 done or nothing left to begin, 1 a fit has failed, 130 interrupted.";

/// What every part of the command needs.
struct Shop {
    settings: Settings,
    state: State,
    ledger: Ledger,
    device: DeviceInUse,
    /// Nobody looks on.
    unattended: bool,
}

impl Train {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        match self.unattended {
            true => crate::log::start(settings.log.level, settings.log.format),
            false => start_log(global.log.unwrap_or(LogLevel::Warn)),
        }
        Global::create(&state)?;
        if self.unattended {
            step_back();
        }
        let ledger = Ledger::open(&state.ledger)?;
        let device = settle(settings.ensemble.device, settings.ensemble.threads)?;
        let shop = Shop { settings, state, ledger, device, unattended: self.unattended };
        if let Some(remark) = &shop.device.remark {
            shop.say(remark);
        }
        let run = match &self.run {
            Some(name) => Run::open(&shop.state.training, name).map_err(usage)?,
            None => {
                let (networks, only_folds) = (&self.networks[..], &self.only_folds[..]);
                let asked = Asked { networks, only_folds, promote: self.promote };
                self.begin.run(&shop, asked).inspect_err(|failure| self.say_of_slot(&shop, failure))?
            }
        };
        let fits = self.share(&run).map_err(usage)?;
        shop.ledger.run_begun(self.row(&run, &shop)?)?;
        if self.again && shop.ledger.has_made_release(run.plan.name.clone())? {
            let name = &run.plan.name;
            return Err(usage(anyhow::anyhow!(
                "the run {name} has made its release without the fits that failed; begin another run to have them in one"
            )));
        }
        let champion = shop.champion(&run)?;
        let parent = run.plan.parent.as_deref().map(|name| Run::open(&shop.state.training, name)).transpose()?;
        let form = shop.settings.ensemble.precision.form(&shop.device)?;
        let workshop = Workshop {
            device: &shop.device,
            form,
            decoders: decoders(&shop.settings)?,
            jobs: shop.settings.grading.jobs(),
            imagenet: &shop.state.imagenet,
            champion: &champion,
            parent: parent.as_ref(),
            again: self.again,
        };
        // until here a signal ends the process, and nothing is lost; from here on libtorch is at work
        let stop = until_signal()?;
        let mut follower = Follower::new(&run, &shop, stop.clone());
        let mut ended = workshop.work(&run, &fits, &mut follower)?;
        let failed = follower.finish();
        if ended == End::Done && run.has_ended()? {
            ended = end::make(&run, &workshop, &shop, self.promote, &stop)?;
        } else if ended == End::Done {
            shop.say(
                "nothing is left to begin here; other processes are at work, or --networks and --only-folds leave it",
            );
        }
        if ended == End::Stopped {
            let (state, name) = (shop.state.root.display(), &run.plan.name);
            shop.say(format!("stopped; it goes on with: kellgrend train --state {state} --run {name}"));
            return Ok(Exit::Interrupted);
        }
        Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
    }

    /// What was due cannot begin, and will not if it is tried again at once.
    fn say_of_slot(&self, shop: &Shop, failure: &Failure) {
        if let (Some(slot), Failure::Usage(error)) = (self.slot, failure) {
            let reason = format!("{error:#}");
            tracing::error!("the training that was due cannot begin: {reason}");
            if let Err(error) = shop.ledger.slot_failed(slot, shop.settings.training.schedule_in_words(), &reason) {
                tracing::error!("{error}");
            }
        }
    }

    /// The run as the ledger has it; said again where the process that began it did not come so far.
    fn row(&self, run: &Run, shop: &Shop) -> anyhow::Result<RunRow> {
        let (plan, set) = (&run.plan, run.set()?);
        let gold_knees = set.gold().len();
        Ok(RunRow {
            name: plan.name.clone(),
            begun_at: timestamp(plan.created),
            origin: plan.origin.clone(),
            data: plan.data.clone(),
            knees: set.knees.len() - gold_knees,
            gold_knees,
            fits: plan.fits().len(),
            plan: toml::to_string(plan)?,
            of_labels: plan.of_labels,
            slot: self.slot.map(|slot| (slot, shop.settings.training.schedule_in_words())),
        })
    }

    /// The fits that this process may take.
    fn share(&self, run: &Run) -> anyhow::Result<Vec<FitName>> {
        let is_wanted = |fit: &FitName| {
            (self.networks.is_empty() || self.networks.contains(&fit.network))
                && (self.only_folds.is_empty() || self.only_folds.contains(&(fit.fold + 1)))
        };
        let fits: Vec<_> = run.plan.fits().into_iter().filter(is_wanted).collect();
        anyhow::ensure!(!fits.is_empty(), "the run {} has no such network or fold", run.plan.name);
        Ok(fits)
    }
}

impl Shop {
    /// To whoever waits for the command or, where nobody does, to the log.
    fn say(&self, words: impl Display) {
        match self.unattended {
            true => tracing::info!("{words}"),
            false => eprintln!("{words}"),
        }
    }

    /// What somebody should know.
    fn warn(&self, words: impl Display) {
        match self.unattended {
            true => tracing::warn!("{words}"),
            false => eprintln!("{words}"),
        }
    }

    /// The release that a run is held against, as it was when the run began.
    fn champion(&self, run: &Run) -> anyhow::Result<Release> {
        let known = &run.plan.champion;
        let release = Release::named(&self.state.models, &known.name)?;
        anyhow::ensure!(
            release.digest().to_string() == known.sha256,
            "the release {} is not what it was when the run began; restore it, or begin a new run",
            known.name
        );
        Ok(release)
    }
}

/// Lower than others', and not so low that a busy machine never lets it on; what is graded goes first by a lock in any case.
const NICENESS: i32 = 5;

/// The process is the daemon's: it lets others compute first, and ends with it, however that ends.
fn step_back() {
    // lower than the daemon's own, wherever that is
    let lower = rustix::process::nice(NICENESS).map(drop);
    let tied = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    for error in [lower, tied].into_iter().filter_map(Result::err) {
        tracing::warn!("training goes on like any other process: {error}");
    }
}

/// True once somebody asks the process to end.
fn until_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (runtime, told) = (runtime()?, stop.clone());
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
                return;
            };
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            told.store(true, Ordering::Relaxed);
            // further ones change nothing: libtorch is at work in other threads, and must not be torn down under them
            loop {
                tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            }
        });
    })?;
    Ok(stop)
}
