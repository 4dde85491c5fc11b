//! Hands radiographs on: first what an earlier start left in work, then what is claimed, as many at a time as fill the networks.

use super::mail::Outages;
use super::radiograph::see_through;
use crate::gauges::Step;
use crate::grading::Trouble;
use crate::intake::Claimed;
use crate::state::State;
use crate::station::Station;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc::Receiver, watch};
use tokio::task::{JoinError, JoinSet};

/// It shows so often that it is alive.
const BEAT: Duration = Duration::from_secs(1);

/// Until `stop` resolves; then what the networks have begun is finished, and the rest is left for the next start. An error if
/// the intake has ended, or the device is lost. Who is suspected of having taken the process down comes first in `left`, and is
/// graded alone.
pub async fn dispatch(
    station: &Arc<Station>,
    left: Vec<Claimed>,
    mut claimed: Receiver<Claimed>,
    outages: &Outages,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let priority = station.state.priority();
    let (stopping, stopped) = watch::channel(false);
    let mut left = left.into_iter().peekable();
    let mut is_alone = false;
    let (mut tasks, mut lost) = (JoinSet::new(), None);
    tokio::pin!(stop);
    let mut outcome = Ok(());
    let (step, mut beat) = (station.gauges.begin(Step::Dispatch), tokio::time::interval(BEAT));
    loop {
        while let Some(seen) = tasks.try_join_next() {
            lost = lost.or(trouble(seen));
        }
        if let Some(trouble) = lost {
            // whatever a lost device does to a process that ends, it is no film's fault
            State::mark_no_aborts();
            outcome = Err(trouble.into());
            break;
        }
        station.gauges.set_in_work(tasks.len());
        step.moves();
        let is_suspect = left.peek().is_some_and(|claim| claim.aborts > 0);
        let most = if is_alone || is_suspect { 1 } else { station.desk().in_flight };
        let room = tasks.len() < most;
        let next = tokio::select! {
            () = &mut stop => break,
            _ = beat.tick() => continue,
            Some(seen) = tasks.join_next(), if !room => {
                lost = trouble(seen);
                continue;
            }
            next = async { match left.next() { Some(claim) => Some(claim), None => claimed.recv().await } }, if room => next,
        };
        let Some(claim) = next else {
            outcome = Err(anyhow::anyhow!("the intake has ended unexpectedly; start again"));
            break;
        };
        is_alone = claim.aborts > 0;
        tasks.spawn(see_through(station.clone(), claim, priority.clone(), outages.clone(), stopped.clone()));
    }

    drop(step);
    tracing::info!("stopping: finishing what the networks have begun, leaving the rest");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let _ = stopping.send(true);
    station.desk().grading.stop();
    claimed.close();
    while claimed.recv().await.is_some() {} // a claim handed over too late is in work: the next start finds it
    while tasks.join_next().await.is_some() {}
    outcome
}

/// What keeps this film and all others from being graded. A worker's panic is its film's alone.
fn trouble(seen: Result<Result<(), Trouble>, JoinError>) -> Option<Trouble> {
    seen.ok()?.err()
}
