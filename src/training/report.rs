//! A run told as a model card.

use super::choice::Choice;
use super::fit::Epoch;
use super::gate::Verdict;
use super::plan::{FitName, Plan};
use super::recipe::Keep;
use super::set::TrainingSet;
use crate::card::{self, Card, Change, Compared, Curve, Data, FoldRow, Point, Results};
use crate::ensemble::release::MemberEntry;
use crate::evaluation::{Case, Comparison, Difference};
use crate::grade::KlGrade;
use std::collections::BTreeSet;

/// What a card is made of.
pub struct Report<'a> {
    /// The run.
    pub plan: &'a Plan,
    /// Its knees.
    pub set: &'a TrainingSet,
    /// Its fits that have a network.
    pub curves: &'a [(FitName, Vec<Epoch>)],
    /// What out-of-fold answers decided.
    pub choice: &'a Choice,
    /// The release's digest.
    pub sha256: String,
    /// Its members.
    pub members: &'a [MemberEntry],
    /// The gold knees' answers: the ensemble's, and each member's by name; empty where there are none.
    pub gold: Vec<(String, Vec<Case>)>,
    /// Champion and challenger on these.
    pub comparison: Option<(&'a Comparison, &'a Verdict)>,
    /// Pictures, each with a line below it.
    pub examples: Vec<(String, Vec<u8>)>,
}

impl Report<'_> {
    /// The card.
    pub fn card(self) -> Card {
        let Self { plan, set, curves, choice, sha256, members, gold, comparison, examples } = self;
        let out_of_fold = vec![("ensemble".to_owned(), choice.out_of_fold.clone())];
        let knees = choice.out_of_fold.len();
        let whose = match &plan.ancestor {
            Some(ancestor) => {
                format!("networks that did not see it here, though {ancestor}, which they began from, may have")
            }
            None => "networks that had not seen it".to_owned(),
        };
        let chosen = match plan.recipe.keep {
            Keep::Best => ", and the epoch that is kept was chosen by them",
            Keep::Last => "",
        };
        let gold_knees = gold.first().map_or(0, |(_, cases)| cases.len());
        let results = [
            Results::of(format!("gold set, {gold_knees} knees {}", plan.gold_in_words()), gold, plan.seed),
            Results::of(
                format!("out-of-fold answers, {knees} knees, each from {whose}{chosen}"),
                out_of_fold,
                plan.seed,
            ),
        ];
        Card {
            schema_version: card::SCHEMA_VERSION,
            release: card::Release {
                name: plan.name.clone(),
                sha256: Some(sha256),
                created: format!("{:.0}", plan.created),
                vote: plan.vote.to_string(),
                note: Some(format!("Trained by kellgrend {} from {}.", crate::VERSION, plan.data)),
            },
            members: members.iter().map(member).collect(),
            data: Some(data(plan, set)),
            recipe: settings(plan),
            curves: curves.iter().map(|fit| curve(fit, plan.recipe.keep)).collect(),
            results: results.into_iter().flatten().collect(),
            comparison: comparison.map(|(comparison, verdict)| compared(plan, comparison, verdict)),
            review: Some(card::Review {
                threshold: choice.review.threshold.into(),
                coverage: choice.review.coverage,
                accuracy: choice.review.accuracy,
                accuracy_of_marked: choice.review.accuracy_of_marked,
            }),
            subsets: choice.ranked.clone(),
            examples: examples.into_iter().map(|(caption, png)| card::Example { caption, png }).collect(),
        }
    }
}

/// A member as a card shows it.
pub fn member(entry: &MemberEntry) -> card::Member {
    card::Member {
        name: entry.name.clone(),
        architecture: entry.architecture.to_string(),
        image_size: entry.image_size,
        zoom: entry.zoom,
        temperature: entry.temperature,
        fold: entry.fold,
    }
}

fn curve((fit, epochs): &(FitName, Vec<Epoch>), keep: Keep) -> Curve {
    let point = |epoch: &Epoch| Point {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        loss: epoch.loss,
        accuracy: epoch.accuracy,
    };
    let kept = epochs.iter().rfind(|epoch| keep == Keep::Last || epoch.is_best).map_or(0, |epoch| epoch.epoch);
    Curve { network: fit.network.to_string(), fold: fit.fold + 1, kept, points: epochs.iter().map(point).collect() }
}

fn data(plan: &Plan, set: &TrainingSet) -> Data {
    let folds = set.shares().into_iter().map(|share| FoldRow {
        name: share.place.to_string(),
        knees: share.knees.iter().sum::<usize>() as u64,
        patients: share.patients as u64,
        grades: share.knees.map(|knees| knees as u64),
    });
    let learnt: Vec<_> = set.learnt().map(|(_, _, knee)| knee).collect();
    let patients: BTreeSet<&str> = learnt.iter().map(|knee| knee.patient.as_str()).collect();
    Data {
        knees: learnt.len() as u64,
        patients: patients.len() as u64,
        nameless: set.knees.iter().filter(|knee| knee.is_nameless()).count() as u64,
        folds: folds.collect(),
        source: format!("From {}.", plan.data),
    }
}

fn settings(plan: &Plan) -> Vec<(String, String)> {
    let mut settings = vec![("seed".to_owned(), plan.seed.to_string()), ("folds".to_owned(), plan.folds.to_string())];
    let parent = plan.parent.as_ref().map(|parent| ("goes on from the folds of".to_owned(), parent.clone()));
    settings.extend(parent);
    settings.extend(plan.recipe.numbers());
    settings
}

fn compared(plan: &Plan, comparison: &Comparison, verdict: &Verdict) -> Compared {
    let named = [
        ("Accuracy", comparison.accuracy),
        ("Macro F1, of the grades that readers say", comparison.macro_f1),
        ("Quadratic kappa", comparison.quadratic_kappa),
    ];
    let recall = KlGrade::ALL.into_iter().zip(comparison.recall);
    let recall = recall.map(|(grade, difference)| (format!("Recall of grade {grade}"), difference));
    let less = [
        ("Calibration error (less is better)", comparison.calibration_error),
        ("Log loss (less is better)", comparison.log_loss),
    ];
    let own = |(name, difference): (&str, _)| (name.to_owned(), difference);
    let all = named.map(own).into_iter().chain(recall).chain(less.map(own));
    let change = |(score, difference): (String, Option<Difference>)| {
        let Difference { champion, challenger, difference, interval } = difference?;
        Some(Change { score, champion, challenger, difference, low: interval.low, high: interval.high })
    };
    Compared {
        champion: plan.champion.name.clone(),
        rows: all.filter_map(change).collect(),
        passed: verdict.promoted,
        reasons: verdict.reasons.clone(),
    }
}
