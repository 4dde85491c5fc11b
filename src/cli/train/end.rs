//! A run has ended: its release is made and, if the gate lets it, put into service.

use super::Shop;
use crate::cli::models::metrics;
use crate::cli::progress::COUNTED;
use crate::ensemble::Release;
use crate::ledger::RunOutcome;
use crate::station::release_row;
use crate::training::release::{Made, make as make_release};
use crate::training::run::{Progress, Run};
use crate::training::work::{End, Workshop};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes the release, unless it is there, another process makes it, or somebody asks to stop.
pub(super) fn make(
    run: &Run,
    workshop: &Workshop,
    shop: &Shop,
    promote: bool,
    stop: &AtomicBool,
) -> anyhow::Result<End> {
    let name = &run.plan.name;
    let Some(_workplace) = run.take_end()? else {
        shop.say(format!("another process makes the release {name}"));
        return Ok(End::Done);
    };
    if shop.ledger.has_made_release(name.clone())? {
        let promote = if promote { " and `kellgrend models promote` puts its release into service" } else { "" };
        shop.say(format!("the run has ended: `kellgrend report training` says how{promote}"));
        return Ok(End::Done);
    }
    let folder = shop.state.models.join(name);
    let (release, verdict) = match folder.exists() {
        // whoever made it did not come so far as to say so
        true => {
            let release = Release::open(&folder)?;
            let verdict = run.verdict(release.digest())?.ok_or_else(|| {
                let folder = folder.display();
                anyhow::anyhow!(
                    "{folder} is not what this run made; move it away, and `kellgrend train --run {name}` ends the run"
                )
            })?;
            (release, verdict)
        }
        false => match made(run, workshop, shop, stop) {
            Ok(Some(Made { release, verdict })) => (release, verdict),
            Ok(None) => return Ok(End::Done),
            Err(error) if error.is::<Stopped>() => return Ok(End::Stopped),
            Err(error) => return Err(error),
        },
    };
    let mut reasons = verdict.reasons.join(" ");
    let named = &shop.settings.ensemble.release;
    let is_pinned = !named.is_empty();
    let may = (promote || run.plan.promote) && verdict.promoted && !is_pinned;
    if verdict.promoted && is_pinned {
        reasons = format!("{reasons} The settings say that {named} grades.");
    }
    let why = may.then(|| format!("The gate let it pass. {reasons}"));
    let champion = run.plan.champion.sha256.clone();
    let row = release_row(&release);
    let outcome = shop.ledger.run_ended(name.clone(), row, champion, why, reasons.clone())?;
    let promoted = outcome == RunOutcome::Promoted;
    tracing::info!(run = name, promoted, "{reasons}");

    println!("{}\n", metrics(&release));
    let members: Vec<_> = release.members().map(|member| member.name().to_owned()).collect();
    println!("release   {name}: {}", members.join(", "));
    println!("card      {}", release.folder().join("card.html").display());
    println!("gate      {}", verdict.reasons.join("\n          "));
    let promote = format!("kellgrend models promote --state {} {name}", shop.state.root.display());
    match (promoted, verdict.promoted) {
        (true, _) => println!("It is in service."),
        (false, true) if may => {
            println!(
                "It is kept: another release is in service than the one that it was held against. To use it: {promote}"
            );
        }
        (false, true) if is_pinned => {
            println!(
                "The gate lets it pass. What grades is {named}, by [ensemble] release; without that setting: {promote}"
            );
        }
        (false, true) => println!("The gate lets it pass: {promote}"),
        (false, false) => println!("It is kept and not used. Against the gate: {promote}"),
    }
    Ok(End::Done)
}

/// Somebody has asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// The release, or none where no fit has a network: then the run is over.
fn made(run: &Run, workshop: &Workshop, shop: &Shop, stop: &AtomicBool) -> anyhow::Result<Option<Made>> {
    let name = &run.plan.name;
    if run.plan.fits().into_iter().all(|fit| matches!(run.progress(fit), Ok(Progress::Failed(_)))) {
        shop.ledger.run_failed(name.clone(), "no fit has a network (`kellgrend report fits` says why)".to_owned())?;
        shop.say(format!("no fit of {name} has a network, and so there is no release"));
        return Ok(None);
    }
    shop.say("all fits have ended; members are chosen");
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(4));
    bar.set_style(ProgressStyle::with_template(COUNTED).expect("a valid template"));
    let priority = shop.state.priority();
    let made = make_release(run, workshop, &shop.settings.ensemble, &shop.state.models, |what, done, all| {
        bar.set_length(all as u64);
        bar.set_message(what);
        bar.set_position(done as u64);
        let is_stopped = || stop.load(Ordering::Relaxed);
        priority.wait_for_grading(is_stopped, || shop.device.give_back());
        if is_stopped() { Err(Stopped.into()) } else { Ok(()) }
    });
    bar.finish_and_clear();
    made.map(Some)
}
