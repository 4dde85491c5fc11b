//! `kellgrend run`: puts the parts together, keeps them going, stops them cleanly.

use crate::config::Settings;
use crate::grading::{Fate, Subject, Trouble};
use crate::intake::{Claimed, Hint, Intake, move_file, reconcile};
use crate::ledger::now;
use crate::state::{State, make_parent};
use crate::station::Station;
use anyhow::Context as _;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// After trouble that is not the radiograph's (disk full, ledger busy) it is tried again this much later.
const AGAIN: Duration = Duration::from_secs(10);

/// Run until `stop` resolves. Errors are reasons not to start.
pub async fn run(settings: Settings, state: State, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let station = {
        let settings = settings.clone();
        tokio::task::spawn_blocking(move || Station::open(&settings, state, "run")).await??
    };
    let (state, ledger, start) = (station.state.clone(), station.ledger.clone(), station.start);
    let left = {
        let (state, ledger) = (state.clone(), ledger.clone());
        tokio::task::spawn_blocking(move || reconcile(&state, &ledger, start)).await??
    };
    if !left.is_empty() {
        tracing::info!("taking up {} radiograph(s) that an earlier start left in work", left.len());
    }

    let (claims, mut claimed) = tokio::sync::mpsc::channel(1);
    let (hints, hint_queue) = mpsc::channel();
    let intake = Intake {
        state: state.clone(),
        settle: settings.settle.clone(),
        max_file: settings.radiographs.max_file.as_u64(),
        keep_names: settings.identity.keep == crate::config::Identity::Plain,
        ledger,
        start,
    };
    let watch_hints = hints.clone();
    let intake = std::thread::Builder::new()
        .name("intake".into())
        .spawn(move || intake.run(&hint_queue, watch_hints, &claims))
        .context("the intake thread cannot be started")?;

    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(inbox = %state.inbox.display(), "watching");

    let in_flight = station.in_flight;
    let station = Arc::new(station);
    let (stopping, stopped) = watch::channel(false);
    let mut left = left.into_iter();
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        while tasks.try_join_next().is_some() {}
        let room = tasks.len() < in_flight;
        let next = tokio::select! {
            () = &mut stop => break,
            _ = tasks.join_next(), if !room => continue,
            next = async { match left.next() { Some(claim) => Some(claim), None => claimed.recv().await } }, if room => next,
        };
        let Some(claim) = next else { anyhow::bail!("the intake has ended unexpectedly") };
        tasks.spawn(see_through(station.clone(), claim, stopped.clone()));
    }

    tracing::info!("stopping: finishing what the networks have begun, leaving the rest");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let _ = stopping.send(true);
    let _ = hints.send(Hint::Stop);
    station.grading.stop();
    claimed.close();
    while claimed.recv().await.is_some() {} // a claim handed over too late is in work: the next start finds it
    while tasks.join_next().await.is_some() {}
    let _ = tokio::task::spawn_blocking(move || intake.join()).await;
    tracing::info!("stopped");
    Ok(())
}

/// See one claimed file through to the archive or to quarantine, however often it takes.
async fn see_through(station: Arc<Station>, claim: Claimed, mut stopped: watch::Receiver<bool>) {
    let subject = Subject {
        file: claim.file,
        digest: claim.digest,
        path: station.state.in_work(&claim.digest),
        side_by_name: claim.side_by_name,
        name: claim.name,
        arrived: now(),
    };
    let sha256 = claim.digest.short();
    loop {
        match finish(&station, &subject).await {
            Ok(()) | Err(Trouble::Stopped(_)) => return,
            Err(trouble) => tracing::error!(sha256, "{trouble}; trying again in {} s", AGAIN.as_secs()),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

async fn finish(station: &Station, subject: &Subject) -> Result<(), Trouble> {
    let sha256 = subject.digest.short();
    match station.grading.grade(subject).await? {
        Fate::Published { knees, extension } => {
            for knee in &knees {
                let knee = &knee.knee;
                tracing::info!(sha256, side = %knee.side, grade = %knee.grade, agreement = knee.agreement, "graded");
            }
            let archive = station.state.in_archive(&subject.digest, extension);
            make_parent(&archive)?;
            move_file(&subject.path, &archive)?;
        }
        Fate::Refused { code, reason, extension } => {
            tracing::warn!(sha256, code, "quarantined: {reason}");
            std::fs::write(station.state.quarantine_reason(&subject.digest), format!("{code}: {reason}\n"))?;
            move_file(&subject.path, &station.state.in_quarantine(&subject.digest, extension))?;
        }
    }
    Ok(())
}
