//! `kellgrend run`: puts the parts together, keeps them going, stops them cleanly.

mod mail;
mod memory;
mod radiograph;
mod trainer;
mod upkeep;

use crate::config::Settings;
use crate::gauges::Step;
use crate::intake::{Hint, Intake, reconcile};
use crate::labels::LabelFolder;
use crate::outside::Outside;
use crate::state::State;
use crate::station::Station;
use anyhow::Context as _;
use mail::{MailThread, Outages};
use radiograph::see_through;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use upkeep::Upkeep;

/// The loop that hands radiographs on shows so often that it is alive.
const BEAT: Duration = Duration::from_secs(1);

/// Run until `stop` resolves. Errors are reasons not to start.
pub async fn run(settings: Settings, state: State, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    memory::give_back_what_is_large();
    let station = {
        let settings = settings.clone();
        tokio::task::spawn_blocking(move || Station::open(&settings, state, "run")).await??
    };
    let (state, ledger, start) = (station.state.clone(), station.ledger.clone(), station.desk().start);
    // what may have taken the last start down comes first, each alone
    let is_accused = state.mark_aborts().context("no mark of an abort can be left in the state folder")?;
    if is_accused {
        tracing::warn!("the last start was aborted; what it was grading is graded alone");
    }
    let mut left = {
        let (state, ledger) = (state.clone(), ledger.clone());
        let reconciled = move || {
            if is_accused {
                ledger.accuse()?;
            }
            anyhow::Ok(reconcile(&state, &ledger, start)?)
        };
        tokio::task::spawn_blocking(reconciled).await??
    };
    left.sort_by_key(|claim| claim.aborts == 0);
    if !left.is_empty() {
        tracing::info!("taking up {} radiograph(s) that an earlier start left in work", left.len());
    }

    let outages = Outages::default();
    let (claims, mut claimed) = tokio::sync::mpsc::channel(1);
    let (hints, hint_queue) = mpsc::channel();
    let intake = Intake {
        state: state.clone(),
        settle: settings.settle.clone(),
        max_file: settings.radiographs.max_file.as_u64(),
        keep_names: settings.identity.keep == crate::config::Identity::Plain,
        ledger,
        start,
        gauges: station.gauges.clone(),
        keep_free: settings.grading.keep_free.as_u64(),
        unread: outages.inbox.clone(),
    };
    let watch_hints = hints.clone();
    let intake = std::thread::Builder::new()
        .name("intake".into())
        .spawn(move || intake.run(&hint_queue, watch_hints, &claims))
        .context("the intake thread cannot be started")?;

    let (labels_end, labels_ended) = mpsc::channel::<()>();
    let labels = LabelFolder::new(state.labels.clone(), station.ledger.clone(), settings.settle.quiet);
    let every = settings.settle.scan_every;
    let labels = std::thread::Builder::new()
        .name("labels".into())
        .spawn(move || labels.run(every, &labels_ended))
        .context("the labels thread cannot be started")?;

    let station = Arc::new(station);
    let mail = {
        let (mail, state, ledger, outages) =
            (settings.mail.clone(), state.clone(), station.ledger.clone(), outages.clone());
        tokio::task::spawn_blocking(move || MailThread::start(&mail, &state, ledger, outages, every)).await??
    };
    let (upkeep_end, upkeep_ended) = mpsc::channel::<()>();
    let http = settings.http.clone();
    let upkeep = {
        let station = station.clone();
        tokio::task::spawn_blocking(move || Upkeep::new(&settings, station)).await??
    };
    let upkeep = std::thread::Builder::new()
        .name("upkeep".into())
        .spawn(move || upkeep.run(every, &upkeep_ended))
        .context("the upkeep thread cannot be started")?;

    let (seen_end, seen_ended) = oneshot::channel();
    let seen = tokio::spawn(Outside::open(station.clone(), &http)?.run(seen_ended));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(inbox = %state.inbox.display(), "watching");

    let priority = state.priority();
    let (stopping, stopped) = watch::channel(false);
    let mut left = left.into_iter().peekable();
    let mut is_alone = false;
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    let mut outcome = Ok(());
    let (step, mut beat) = (station.gauges.begin(Step::Dispatch), tokio::time::interval(BEAT));
    loop {
        while tasks.try_join_next().is_some() {}
        station.gauges.set_in_work(tasks.len());
        step.moves();
        let is_suspect = left.peek().is_some_and(|claim| claim.aborts > 0);
        let most = if is_alone || is_suspect { 1 } else { station.desk().in_flight };
        let room = tasks.len() < most;
        let next = tokio::select! {
            () = &mut stop => break,
            _ = beat.tick() => continue,
            _ = tasks.join_next(), if !room => continue,
            next = async { match left.next() { Some(claim) => Some(claim), None => claimed.recv().await } }, if room => next,
        };
        let Some(claim) = next else {
            outcome = Err(anyhow::anyhow!("the intake has ended unexpectedly; start again"));
            break;
        };
        is_alone = claim.aborts > 0;
        let failing = outages.networks.clone();
        tasks.spawn(see_through(station.clone(), claim, priority.clone(), failing, stopped.clone()));
    }

    drop(step);
    tracing::info!("stopping: finishing what the networks have begun, leaving the rest");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let _ = stopping.send(true);
    let _ = hints.send(Hint::Stop);
    drop((labels_end, upkeep_end));
    station.desk().grading.stop();
    claimed.close();
    while claimed.recv().await.is_some() {} // a claim handed over too late is in work: the next start finds it
    while tasks.join_next().await.is_some() {}
    let _ = tokio::task::spawn_blocking(move || {
        let _joined = (intake.join(), labels.join(), upkeep.join());
        if let Some(mail) = mail {
            mail.stop();
        }
    })
    .await;
    drop(seen_end);
    let _ = seen.await;
    tracing::info!("stopped");
    outcome
}
