//! `kellgrend run`: puts the parts together, keeps them going, stops them cleanly.

mod caretaker;
mod crew;
mod dispatch;
mod drift;
mod mail;
mod radiograph;
mod retention;
pub mod scout;
mod trainer;
mod upkeep;

use crate::config::{MailSettings, Settings};
use crate::intake::{Claimed, reconcile};
use crate::mail::{host, refusal};
use crate::outside::Outside;
use crate::state::State;
use crate::station::Station;
use anyhow::Context as _;
use crew::Crew;
use jiff::Timestamp;
use mail::Outages;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Run until `stop` resolves. Errors are reasons not to start, or not to go on.
pub async fn run(settings: Settings, state: State, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let settings = Arc::new(settings);
    let station = {
        let settings = settings.clone();
        Arc::new(spawn_blocking(move || Station::open(&settings, state, "run")).await??)
    };
    let left = {
        let (settings, station) = (settings.clone(), station.clone());
        spawn_blocking(move || left_in_work(&settings.mail, &station)).await??
    };
    let outages = Outages { results: station.gauges.results.clone(), ..Outages::default() };
    let (crew, claimed) = {
        let (settings, station, outages) = (settings.clone(), station.clone(), outages.clone());
        spawn_blocking(move || Crew::start(&settings, &station, &outages)).await??
    };
    let (seen_end, seen_ended) = oneshot::channel();
    let seen = tokio::spawn(Outside::open(station.clone(), &settings.http)?.run(seen_ended));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(inbox = %station.state.inbox.display(), "watching");

    let outcome = dispatch::dispatch(&station, left, claimed, &outages, stop).await;

    let _ = spawn_blocking(move || crew.stop()).await;
    drop(seen_end);
    let _ = seen.await;
    // a thread that a share holds up may have the ledger still
    let _ = spawn_blocking(move || station.ledger.close()).await;
    tracing::info!("stopped");
    outcome
}

/// Ledger and folders are reconciled, and what an earlier start left in work is taken up. What may have taken that start down
/// comes first.
fn left_in_work(mail: &MailSettings, station: &Station) -> anyhow::Result<Vec<Claimed>> {
    let unmarked = "no mark of an abort can be left in the state folder";
    let is_accused = station.state.mark_aborts().context(unmarked)?;
    if is_accused {
        tracing::warn!("the last start was aborted; what it was grading is graded alone");
        // in this order: nobody is accused twice of one abort. Where the ledger takes nothing, the next start finds the mark again
        station.state.clear_abort().context(unmarked)?;
        station.ledger.accuse().inspect_err(|_| station.state.mark_abort())?;
        if mail.is_on() {
            let noted = refusal::aborted(mail, &station.state.root, &host(), Timestamp::now());
            noted.unwrap_or_else(|error| tracing::error!("{error}"));
        }
    }
    let mut left = reconcile(&station.state, &station.ledger, station.desk().start)?;
    left.sort_by_key(|claim| claim.aborts == 0);
    if !left.is_empty() {
        tracing::info!("taking up {} radiograph(s) that an earlier start left in work", left.len());
    }
    Ok(left)
}
