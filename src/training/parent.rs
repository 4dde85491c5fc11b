//! The runs that the release in service came from. A network that goes on learning must go on leaving out the same patients:
//! otherwise what it says of them is what it has learnt by heart, and temperatures, members and the threshold for a human
//! reader would be chosen by it.

use super::plan::FitName;
use super::run::{Progress, Run};
use super::set::Folds;
use crate::ensemble::Release;
use crate::networks::Architecture;
use std::io;
use std::path::Path;

/// What a new run is to do, as far as it matters here.
pub struct Wanted<'a> {
    /// The networks.
    pub networks: &'a [Architecture],
    /// Into how many folds the knees are dealt.
    pub folds: usize,
    /// The folds of each network that are fitted, counted from 1.
    pub fitted_folds: &'a [usize],
}

/// The run that made `champion`; none where another installation did, or the run was removed. One that is there and cannot be read
/// is an error: nobody may be learnt from, or drawn for gold, because it is not known what was learnt.
fn maker(training: &Path, champion: &Release) -> anyhow::Result<Option<Run>> {
    let Some(run) = opened(training, champion.name())? else { return Ok(None) };
    Ok(made(&run, champion)?.then_some(run))
}

fn opened(training: &Path, name: &str) -> anyhow::Result<Option<Run>> {
    let is_absent = |error: &anyhow::Error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    match Run::open(training, name) {
        Err(error) if is_absent(&error) => Ok(None),
        run => run.map(Some),
    }
}

/// What a run lacks for every fit to go on from it, in words; none where it has as many folds, and each network that it knows at all
/// fitted for each of them. One that it does not know has seen nothing.
pub fn lack(run: &Run, wanted: &Wanted) -> anyhow::Result<Option<String>> {
    if run.plan.folds != wanted.folds {
        return Ok(Some(format!("it has {} folds and not {}", run.plan.folds, wanted.folds)));
    }
    for &network in wanted.networks.iter().filter(|network| run.plan.networks.contains(network)) {
        for fold in wanted.fitted_folds {
            let fit = FitName { network, fold: fold - 1 };
            if !matches!(run.progress(fit)?, Progress::Fitted(_)) {
                return Ok(Some(format!("it has no {fit}")));
            }
        }
    }
    Ok(None)
}

/// What the networks of a run, and those that they go on from, have learnt.
#[derive(Default)]
pub struct Learnt {
    /// The folds of all patients, as the last of the runs that had them dealt them; whoever was gold in each was learnt from by
    /// nobody, and is not here.
    pub folds: Folds,
    /// The release from which the first of these runs began, and of which nobody here knows what it has learnt.
    pub ancestor: Option<String>,
}

impl Learnt {
    /// What a release has learnt, and the run that made it; nothing where nobody here made it.
    pub fn by(training: &Path, champion: &Release) -> anyhow::Result<(Option<Run>, Self)> {
        let maker = maker(training, champion)?;
        let learnt = maker.as_ref().map(|maker| Self::of(training, maker)).transpose()?;
        Ok((maker, learnt.unwrap_or_default()))
    }

    /// Reads it from the run and all that it came from: a patient who was absent once was not forgotten.
    fn of(training: &Path, run: &Run) -> anyhow::Result<Self> {
        let (mut learnt, mut run) = (Self::default(), run.clone());
        loop {
            for (_, fold, knee) in run.set()?.learnt() {
                learnt.folds.add(knee, fold);
            }
            let Some(before) = run.plan.parent.clone() else {
                learnt.ancestor = run.plan.ancestor;
                return Ok(learnt);
            };
            match opened(training, &before)? {
                Some(before) => run = before,
                // whom that one has learnt from, nobody knows any more
                None => return Ok(Self { ancestor: Some(before), ..learnt }),
            }
        }
    }
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

/// Whether the release's weights are this run's: names alone may be the same by chance.
fn made(run: &Run, release: &Release) -> anyhow::Result<bool> {
    for member in release.members() {
        let entry = member.entry();
        let Some(fold) = entry.fold.and_then(|fold| fold.checked_sub(1)) else { return Ok(false) };
        let progress = run.progress(FitName { network: entry.architecture, fold })?;
        if !matches!(progress, Progress::Fitted(outcome) if outcome.weights == entry.sha256) {
            return Ok(false);
        }
    }
    Ok(true)
}
