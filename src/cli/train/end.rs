//! A run has ended: its release is made and, if the gate lets it, put into service.

use super::Shop;
use crate::cli::table::aligned;
use crate::ensemble::release::Metrics;
use crate::ledger::RunOutcome;
use crate::station::release_row;
use crate::training::release::{Made, make as make_release};
use crate::training::run::Run;
use crate::training::work::Workshop;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes the release, unless it is there or another process makes it.
pub(super) fn make(
    run: &Run,
    workshop: &Workshop,
    shop: &Shop,
    promote: bool,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let name = &run.plan.name;
    let Some(_workplace) = run.take_end()? else {
        eprintln!("another process makes the release {name}");
        return Ok(());
    };
    if shop.state.models.join(name).exists() {
        eprintln!("the release {name} is there already");
        return Ok(());
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(4));
    bar.set_style(ProgressStyle::with_template("{bar:40.cyan/blue} {pos:>6}/{len} {msg}").expect("a valid template"));
    let made = make_release(run, workshop, &shop.settings.ensemble, &shop.state.models, |what, done, all| {
        bar.set_length(all as u64);
        bar.set_message(what);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let Made { release, verdict } = match made {
        Ok(made) => made,
        Err(error) => {
            shop.ledger.run_ended(name.clone(), RunOutcome::Failed, None, format!("{error:#}"))?;
            return Err(error);
        }
    };
    let reasons = verdict.reasons.join(" ");
    shop.ledger.know_release(release_row(&release)?)?;
    let promoted = (promote || run.plan.promote) && verdict.promoted && !stop.load(Ordering::Relaxed);
    if promoted {
        let why = format!("The gate let it pass. {reasons}");
        shop.ledger.put_in_service(release_row(&release)?, format!("kellgrend, run {name}"), why)?;
    }
    let outcome = if promoted { RunOutcome::Promoted } else { RunOutcome::Kept };
    shop.ledger.run_ended(name.clone(), outcome, Some(name.clone()), reasons.clone())?;
    tracing::info!(run = name, promoted, "{reasons}");

    let metrics = release.metrics().iter().map(|Metrics { data, knees, accuracy, macro_f1, quadratic_kappa }| {
        let or = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        let knees = knees.map_or(String::new(), |knees| knees.to_string());
        [data.clone(), knees, format!("{accuracy:.4}"), or(*macro_f1), or(*quadratic_kappa)]
    });
    println!("{}\n", aligned(&["", "KNEES", "ACCURACY", "MACRO F1", "KAPPA"], metrics));
    let members: Vec<_> = release.members().map(|member| member.name().to_owned()).collect();
    println!("release   {name}: {}", members.join(", "));
    println!("card      {}", release.folder().join("card.html").display());
    println!("gate      {}", verdict.reasons.join("\n          "));
    match (promoted, verdict.promoted) {
        (true, _) => println!("It is in service."),
        (false, true) => println!("The gate lets it pass: kellgrend models promote {name}"),
        (false, false) => println!("It is kept and not used. Against the gate: kellgrend models promote {name}"),
    }
    Ok(())
}
