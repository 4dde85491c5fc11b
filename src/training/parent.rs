//! The run that the release in service came from. A network that goes on learning must go on leaving out the same patients:
//! otherwise what it says of them is what it has learnt by heart, and temperatures, members and the threshold for a human
//! reader would be chosen by it.

use super::plan::FitName;
use super::recipe::Start;
use super::run::{Outcome, Progress, Run};
use crate::digest::Digest;
use crate::ensemble::Release;
use crate::networks::Architecture;
use std::collections::HashMap;
use std::path::Path;

/// What a new run is to do, as far as it matters here.
pub struct Wanted<'a> {
    /// From where.
    pub start: Start,
    /// The networks.
    pub networks: &'a [Architecture],
    /// Into how many folds the knees are dealt.
    pub folds: usize,
    /// The folds of each network that are fitted, counted from 1.
    pub fitted_folds: &'a [usize],
}

/// The run that made `champion`, where it has a network for every fit to go on from: as many folds, and each network that the
/// release or the run knows at all fitted for each of the folds. None where another installation made the release.
pub fn parent(training: &Path, champion: &Release, wanted: &Wanted) -> Option<Run> {
    if wanted.start != Start::Release {
        return None;
    }
    let run = Run::open(training, champion.name()).ok()?;
    if run.plan.folds != wanted.folds || !made(&run, champion) {
        return None;
    }
    let voting: Vec<_> = champion.members().map(|member| member.entry().architecture).collect();
    // a network that neither of them knows has seen nothing
    let known =
        wanted.networks.iter().filter(|network| voting.contains(network) || run.plan.networks.contains(network));
    let mut fits =
        known.flat_map(|&network| wanted.fitted_folds.iter().map(move |fold| FitName { network, fold: fold - 1 }));
    fits.all(|fit| fitted(&run, fit).is_some()).then_some(run)
}

/// Where the patients of a run are, by their radiographs; whoever was gold there was learnt from by nobody, and is free.
pub fn folds(run: &Run) -> anyhow::Result<HashMap<Digest, usize>> {
    Ok(run.set()?.learnt().map(|(_, fold, knee)| (knee.radiograph, fold)).collect())
}

/// The weights that a fit goes on from; none where the run does not know the network. One that it does know is there, or was when
/// the new run began: without it nothing may begin from nothing unsaid.
pub fn weights(run: &Run, fit: FitName) -> anyhow::Result<Option<Vec<u8>>> {
    match run.progress(fit)? {
        Progress::Fitted(outcome) => Ok(Some(run.weights(fit, &outcome)?)),
        _ if run.plan.networks.contains(&fit.network) => {
            anyhow::bail!("the run {} has lost its {fit}, which this one goes on from", run.plan.name)
        }
        _ => Ok(None),
    }
}

fn fitted(run: &Run, fit: FitName) -> Option<Outcome> {
    match run.progress(fit) {
        Ok(Progress::Fitted(outcome)) => Some(outcome),
        _ => None,
    }
}

/// Whether the release's weights are this run's: names alone may be the same by chance.
fn made(run: &Run, release: &Release) -> bool {
    release.members().all(|member| {
        let entry = member.entry();
        let fold = entry.fold.and_then(|fold| fold.checked_sub(1));
        let fit = fold.map(|fold| FitName { network: entry.architecture, fold });
        fit.and_then(|fit| fitted(run, fit)).is_some_and(|outcome| outcome.weights == entry.sha256)
    })
}
