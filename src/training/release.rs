//! What a run comes to: a release of the best fits, held against the champion, with its card.

use super::choice::{Choice, Chosen, Knees, OutOfFold};
use super::examination::{Examined, examine, picture};
use super::gate::Verdict;
use super::plan::{FitName, Plan};
use super::report::Report;
use super::run::{Outcome, Progress, Run};
use super::set::{Knee, Place, TrainingSet};
use super::work::Workshop;
use crate::config::EnsembleSettings;
use crate::ensemble::release::{Metrics, Review, Trained, TrainedMember};
use crate::ensemble::{Ensemble, Release};
use crate::evaluation::{Case, Comparison, Scores};
use crate::grade::KlGrade;
use crate::networks::Architecture;
use crate::station::ready;
use anyhow::Context as _;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// A run's release and whether it passed the gate.
pub struct Made {
    /// The release, in the models' folder.
    pub release: Release,
    /// The gate's word.
    pub verdict: Verdict,
}

/// Chooses members, compares them with the champion, writes release and card. Nothing is put into service here, and an error of
/// `seen` ends it.
pub fn make(
    run: &Run,
    workshop: &Workshop,
    settings: &EnsembleSettings,
    models: &Path,
    mut seen: impl FnMut(&'static str, usize, usize) -> anyhow::Result<()>,
) -> anyhow::Result<Made> {
    let (plan, set) = (&run.plan, run.set()?);
    let fitted = fitted(run)?;
    let choice = choose(plan, &set, &fitted)?;
    let mut trained = put_together(run, &choice, &fitted)?;

    let gold = set.gold();
    let folder = run.scratch()?;
    let challenger = trained.write(folder.path(), &[])?;
    // a release that lacks a member is not the one to compare with
    let settings = EnsembleSettings { quorum: 0, ..settings.clone() };
    let load = |release: &Release| ready(release, &settings, workshop.device, workshop.form);
    let challenging = load(&challenger)?.with_maps(false);
    let mut grade = |what: &'static str, ensemble: &Ensemble| -> anyhow::Result<Examined> {
        let mut done = 0;
        let graded = examine(ensemble, &gold, &workshop.decoders, workshop.jobs, || {
            done += 1;
            seen(what, done, gold.len())
        })?;
        let knees = set.knees.iter().zip(set.patients()).filter(|(knee, _)| knee.place == Place::Gold);
        let (truths, patients) = knees.map(|(knee, patient)| (knee.grade, patient)).unzip();
        Ok(Examined { patients, truths, graded })
    };
    let examined = grade("the new release grades the gold set", &challenging)?;
    let before = match gold.is_empty() {
        true => Vec::new(),
        false => {
            let champion = load(workshop.champion)?.with_maps(false);
            grade("the release in service grades the gold set", &champion)?.of_ensemble()
        }
    };
    let comparison = Comparison::of(&before, &examined.of_ensemble(), plan.seed).map_err(anyhow::Error::msg)?;
    let verdict = plan.gate.judge(&comparison);

    trained.measured(metrics(plan, &choice, &examined));
    let examples = examples(&challenging.with_maps(true), &gold, &examined, workshop, &plan.name)?;
    let members: Vec<_> = challenger.members().map(|member| member.name().to_owned()).collect();
    let card = Report {
        plan,
        set: &set,
        curves: &fitted.iter().map(|(fit, outcome)| (*fit, outcome.curve.clone())).collect::<Vec<_>>(),
        choice: &choice,
        sha256: trained.digest()?.to_string(),
        members: trained.members(),
        gold: examined.voters(&members),
        comparison: comparison.accuracy.is_some().then_some((&comparison, &verdict)),
        examples,
    }
    .card();
    run.keep_verdict(trained.digest()?, &verdict)?;
    let (html, json) = (card.html(), card.json());
    let release = trained.write(models, &[("card.html", html.as_bytes()), ("card.json", json.as_bytes())])?;
    Ok(Made { release, verdict })
}

/// The fits that have a network.
fn fitted(run: &Run) -> anyhow::Result<Vec<(FitName, Outcome)>> {
    let mut fitted = Vec::new();
    for fit in run.plan.fits() {
        if let Progress::Fitted(outcome) = run.progress(fit)? {
            fitted.push((fit, outcome));
        }
    }
    Ok(fitted)
}

fn choose(plan: &Plan, set: &TrainingSet, fitted: &[(FitName, Outcome)]) -> anyhow::Result<Choice> {
    let learnt: Vec<(usize, usize, &Knee)> = set.learnt().collect();
    let folds: Vec<usize> = learnt.iter().map(|(_, fold, _)| *fold).collect();
    let truths: Vec<KlGrade> = learnt.iter().map(|(_, _, knee)| knee.grade).collect();
    let numbers = set.patients();
    let patients: Vec<usize> = learnt.iter().map(|(index, _, _)| numbers[*index]).collect();
    let network = |&network: &Architecture| {
        let mut logits = vec![None; folds.len()];
        for (fit, outcome) in fitted.iter().filter(|(fit, _)| fit.network == network) {
            let left_out = folds.iter().enumerate().filter(|(_, fold)| **fold == fit.fold);
            left_out.zip(&outcome.logits).for_each(|((knee, _), answer)| logits[knee] = Some(*answer));
        }
        OutOfFold { name: network.to_string(), logits }
    };
    let networks: Vec<_> = to_choose_from(plan, fitted).iter().map(network).collect();
    let may_be_known = plan.ancestor.is_some();
    let knees = Knees { patients: &patients, truths: &truths, folds: &folds, may_be_known };
    Choice::of(&networks, knees, plan.vote, &plan.choice).map_err(anyhow::Error::msg)
}

/// The networks that have graded enough folds together, more than half of what any of them has. Each fit that failed leaves fewer
/// knees that all have graded; where too few are left, the network goes without which the others have most.
fn to_choose_from(plan: &Plan, fitted: &[(FitName, Outcome)]) -> Vec<Architecture> {
    let of = |network: Architecture| -> BTreeSet<usize> {
        fitted.iter().filter(|(fit, _)| fit.network == network).map(|(fit, _)| fit.fold).collect()
    };
    let mut networks: Vec<_> = plan.networks.iter().map(|&network| (network, of(network))).collect();
    let common = |networks: &[(Architecture, BTreeSet<usize>)], without: Option<usize>| {
        let others = networks.iter().enumerate().filter(|(place, _)| Some(*place) != without);
        others.map(|(_, (_, folds))| folds.clone()).reduce(|all, folds| &all & &folds).map_or(0, |all| all.len())
    };
    loop {
        let most = networks.iter().map(|(_, folds)| folds.len()).max().unwrap_or_default();
        if networks.len() < 2 || 2 * common(&networks, None) > most {
            return networks.into_iter().map(|(network, _)| network).collect();
        }
        // of equals the one with the fewest itself, then the last
        let worth = |place: &usize| (common(&networks, Some(*place)), Reverse(networks[*place].1.len()));
        let goes = (0..networks.len()).max_by_key(worth).unwrap_or_default();
        tracing::warn!("{} may not vote: too many of its fits have failed", networks.remove(goes).0);
    }
}

fn put_together(run: &Run, choice: &Choice, fitted: &[(FitName, Outcome)]) -> anyhow::Result<Trained> {
    let plan = &run.plan;
    let outcomes: HashMap<_, _> = fitted.iter().map(|(fit, outcome)| (*fit, outcome)).collect();
    let member = |chosen: &Chosen| {
        let architecture: Architecture = chosen.network.parse().map_err(anyhow::Error::msg)?;
        let fit = FitName { network: architecture, fold: chosen.fold };
        let outcome = outcomes.get(&fit).context("a chosen fit has no network")?;
        Ok(TrainedMember {
            architecture,
            image_size: plan.image_size(architecture),
            zoom: plan.recipe.zoom,
            temperature: chosen.temperature,
            fold: chosen.fold + 1,
            weights: run.weights(fit, outcome)?,
        })
    };
    let members = choice.members.iter().map(member).collect::<anyhow::Result<Vec<_>>>()?;
    let review = &choice.review;
    let review = (review.threshold > 0.0).then_some(Review {
        threshold: review.threshold,
        coverage: review.coverage,
        accuracy: review.accuracy,
    });
    let note = format!("trained from {}; card.html tells how, and how well it grades", plan.data);
    Ok(Trained::new(&plan.name, plan.created, plan.vote, members, review, note))
}

fn metrics(plan: &Plan, choice: &Choice, examined: &Examined) -> Vec<Metrics> {
    let of = |data: &str, cases: &[Case]| {
        let Scores { knees, accuracy, macro_f1, quadratic_kappa, .. } = Scores::of(cases);
        let (data, knees) = (data.to_owned(), u32::try_from(knees).ok());
        accuracy.map(|accuracy| Metrics { data, knees, accuracy, macro_f1, quadratic_kappa })
    };
    let gold = of(&format!("gold set {}", plan.gold_in_words()), &examined.of_ensemble());
    let but = plan.ancestor.as_ref().map(|name| format!(", of which {name}, where the networks began, may know some"));
    let out_of_fold = format!("out-of-fold answers of the training set{}", but.unwrap_or_default());
    let out_of_fold = of(&out_of_fold, &choice.out_of_fold);
    gold.into_iter().chain(out_of_fold).collect()
}

fn examples(
    ensemble: &Ensemble,
    gold: &[&Knee],
    examined: &Examined,
    workshop: &Workshop,
    release: &str,
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let shown: Vec<&Knee> = examined.telling().into_iter().map(|index| gold[index]).collect();
    let picture = |knee: &&Knee| {
        let film = knee.film(&workshop.decoders).map_err(anyhow::Error::msg)?;
        let graded = ensemble.grade(&[&film.knee])?;
        picture(&film, knee.grade, graded.first().context("it has no grade")?, release)
    };
    shown.iter().map(picture).collect()
}
