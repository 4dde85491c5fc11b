//! `kellgrend run`: puts the parts together, keeps them going, stops them cleanly.

use crate::config::Settings;
use crate::grading::{Fate, Subject, Trouble};
use crate::intake::{Claimed, Hint, Intake, reconcile};
use crate::labels::LabelFolder;
use crate::state::{State, UNKNOWN};
use crate::station::Station;
use anyhow::Context as _;
use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// After trouble that is not the radiograph's (disk full, ledger busy) it is tried again, after pauses that double.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LAST_PAUSE: Duration = Duration::from_secs(320);

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

    let (labels_end, labels_ended) = mpsc::channel::<()>();
    let labels = LabelFolder::new(state.labels.clone(), station.ledger.clone(), settings.settle.quiet);
    let every = settings.settle.scan_every;
    let labels = std::thread::Builder::new()
        .name("labels".into())
        .spawn(move || labels.run(every, &labels_ended))
        .context("the labels thread cannot be started")?;

    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(inbox = %state.inbox.display(), "watching");

    let in_flight = station.in_flight;
    let station = Arc::new(station);
    let (stopping, stopped) = watch::channel(false);
    let mut left = left.into_iter();
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    let mut outcome = Ok(());
    loop {
        while tasks.try_join_next().is_some() {}
        let room = tasks.len() < in_flight;
        let next = tokio::select! {
            () = &mut stop => break,
            _ = tasks.join_next(), if !room => continue,
            next = async { match left.next() { Some(claim) => Some(claim), None => claimed.recv().await } }, if room => next,
        };
        let Some(claim) = next else {
            outcome = Err(anyhow::anyhow!("the intake has ended unexpectedly; start again"));
            break;
        };
        tasks.spawn(see_through(station.clone(), claim, stopped.clone()));
    }

    tracing::info!("stopping: finishing what the networks have begun, leaving the rest");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let _ = stopping.send(true);
    let _ = hints.send(Hint::Stop);
    drop(labels_end);
    station.grading.stop();
    claimed.close();
    while claimed.recv().await.is_some() {} // a claim handed over too late is in work: the next start finds it
    while tasks.join_next().await.is_some() {}
    let _ = tokio::task::spawn_blocking(move || (intake.join(), labels.join())).await;
    tracing::info!("stopped");
    outcome
}

/// See one claimed file through to the archive or to quarantine, however often it takes.
async fn see_through(station: Arc<Station>, claim: Claimed, mut stopped: watch::Receiver<bool>) {
    let sha256 = claim.digest.short();
    let subject = Subject {
        file: claim.file,
        digest: claim.digest,
        path: station.state.in_work(&claim.digest),
        side_by_name: claim.side_by_name,
        name: claim.name,
        arrived: claim.claimed_at,
    };
    let mut pause = FIRST_PAUSE;
    let mut fate = None;
    loop {
        let outcome = match &fate {
            None => decide(&station, &subject, pause >= LAST_PAUSE).await.map(|found| fate = Some(found)),
            Some(fate) => match put_away(&station, &subject, fate).await {
                Ok(()) => return,
                trouble => trouble,
            },
        };
        match outcome {
            Ok(()) => continue,
            Err(Trouble::Stopped(_)) => return,
            // Its fate is on record; it was moved already, or somebody took it: nothing is left to move.
            Err(Trouble::PutAway(_)) if !subject.path.exists() => return,
            Err(Trouble::Read(_)) if !subject.path.exists() => return withdraw(&station, &subject).await,
            Err(trouble) => tracing::error!(sha256, "{trouble}; trying again in {} s", pause.as_secs()),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Grade, or find that it cannot be graded. On the last attempt a failure of the networks is the film's fate.
async fn decide(station: &Station, subject: &Subject, last: bool) -> Result<Fate, Trouble> {
    let (code, reason) = match station.grading.grade(subject).await {
        Err(Trouble::Changed) => {
            ("changed", "The file changed while it was in work, so it is not what arrived. Send it again.".to_owned())
        }
        Err(Trouble::Networks(what)) if last => (
            "networks-failed",
            format!("The networks fail on it again and again ({what}). `kellgrend retry` tries anew."),
        ),
        outcome => return outcome,
    };
    station.ledger.quarantined(subject.file, code, reason.clone()).await?;
    Ok(Fate::Refused { code, reason, extension: UNKNOWN })
}

/// Move the original to where its fate belongs.
async fn put_away(station: &Arc<Station>, subject: &Subject, fate: &Fate) -> Result<(), Trouble> {
    let (station, digest) = (station.clone(), subject.digest);
    let sha256 = digest.short();
    let moved = match fate {
        Fate::Published { knees, extension } => {
            for knee in knees {
                let knee = &knee.knee;
                tracing::info!(sha256, side = %knee.side, grade = %knee.grade, agreement = knee.agreement, "graded");
            }
            let extension = *extension;
            tokio::task::spawn_blocking(move || station.state.put_into_archive(&digest, extension)).await
        }
        Fate::Refused { code, reason, extension } => {
            tracing::warn!(sha256, code, "quarantined: {reason}");
            let (text, extension) = (format!("{code}: {reason}"), *extension);
            tokio::task::spawn_blocking(move || station.state.put_into_quarantine(&digest, extension, &text)).await
        }
    };
    moved.map_err(|_| Trouble::Defect("a worker panicked"))?.map_err(Trouble::PutAway)
}

async fn withdraw(station: &Station, subject: &Subject) {
    tracing::error!(sha256 = subject.digest.short(), "it is no longer in work: somebody took it away");
    let (ledger, file) = (station.ledger.clone(), subject.file);
    let withdraw = move || ledger.withdrawn(file, "vanished", "the file was taken out of the work folder");
    if let Ok(Err(error)) = tokio::task::spawn_blocking(withdraw).await {
        tracing::error!("{error}");
    }
}
