//! Knees whose grades are known, graded by a release as it would grade them in service.

use super::reading::read_all;
use super::set::Knee;
use crate::dataset::Film;
use crate::decoding::Decoders;
use crate::ensemble::{Ensemble, Graded, SaliencyMap};
use crate::evaluation::Case;
use crate::grade::{KlGrade, Probabilities};
use crate::outbox::overlay::{Caption, Layer, MapView, Palette, overlay, png_rgb};
use image::GrayImage;

/// What a release says of knees whose grades are known, in their order.
pub struct Examined {
    /// Whose knees they are, by number.
    pub patients: Vec<usize>,
    /// What is said of them.
    pub truths: Vec<KlGrade>,
    /// What the release says.
    pub graded: Vec<Graded>,
}

/// Grades them all, unless `seen` ends it.
pub fn examine(
    ensemble: &Ensemble,
    knees: &[&Knee],
    decoders: &Decoders,
    jobs: usize,
    mut seen: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Graded>> {
    let mut graded = Vec::with_capacity(knees.len());
    let mut waiting: Vec<GrayImage> = Vec::new();
    let mut outcome = Ok(());
    let mut grade = |waiting: &mut Vec<GrayImage>| -> anyhow::Result<()> {
        graded.extend(ensemble.grade(&waiting.iter().collect::<Vec<_>>())?);
        waiting.clear();
        Ok(())
    };
    read_all(
        knees,
        jobs,
        |knee| knee.read(decoders),
        |_, knee| {
            outcome = match (seen(), knee) {
                (Err(error), _) => Err(error),
                (Ok(()), Err(error)) => Err(anyhow::Error::msg(error)),
                (Ok(()), Ok(knee)) => {
                    waiting.push(knee);
                    if waiting.len() < ensemble.knees_at_once() { Ok(()) } else { grade(&mut waiting) }
                }
            };
            outcome.is_ok()
        },
    )?;
    outcome?;
    if !waiting.is_empty() {
        grade(&mut waiting)?;
    }
    Ok(graded)
}

impl Examined {
    /// What each voter says of the knees, the ensemble first; `members` are the names in the order of the votes.
    pub fn voters(&self, members: &[String]) -> Vec<(String, Vec<Case>)> {
        let member = |(place, name): (usize, &String)| {
            (name.clone(), self.cases(|graded| (graded.votes[place].grade, graded.votes[place].probabilities)))
        };
        std::iter::once(("ensemble".to_owned(), self.of_ensemble()))
            .chain(members.iter().enumerate().map(member))
            .collect()
    }

    /// The ensemble's answers.
    pub fn of_ensemble(&self) -> Vec<Case> {
        self.cases(|graded| (graded.grade, graded.probabilities))
    }

    fn cases(&self, answer: impl Fn(&Graded) -> (KlGrade, Probabilities)) -> Vec<Case> {
        let case = |((&patient, &truth), graded)| {
            let (grade, probabilities) = answer(graded);
            Case { patient, truth, grade, probabilities }
        };
        self.patients.iter().zip(&self.truths).zip(&self.graded).map(case).collect()
    }

    /// A few knees to show: of each grade one that was graded right, and those that are furthest off.
    pub fn telling(&self) -> Vec<usize> {
        let right = |grade| {
            self.truths.iter().zip(&self.graded).position(|(&truth, graded)| truth == grade && graded.grade == grade)
        };
        let off = |&index: &usize| self.truths[index].index().abs_diff(self.graded[index].grade.index());
        let mut wrong: Vec<usize> = (0..self.truths.len()).filter(|index| off(index) > 0).collect();
        wrong.sort_by_key(|index| std::cmp::Reverse(off(index)));
        KlGrade::ALL.into_iter().filter_map(right).chain(wrong.into_iter().take(MOST_WRONG)).collect()
    }
}

/// So many errors are shown.
const MOST_WRONG: usize = 3;

/// The picture of a knee and where the networks looked, and a line below it.
pub fn picture(film: &Film, truth: KlGrade, graded: &Graded, release: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let SaliencyMap { size, values } = graded.map.as_ref().ok_or_else(|| anyhow::anyhow!("there is no map"))?;
    let caption = Caption {
        side: film.side,
        grade: graded.grade,
        probabilities: &graded.probabilities,
        agreement: graded.agreement,
        members: graded.votes.len(),
        missing: graded.missing.len(),
        needs_review: graded.needs_review == Some(true),
        release,
    };
    let drawn = overlay(&film.knee, Layer::Map(MapView::new(*size, values)?, Palette::default()), &caption);
    Ok((format!("Grade {truth}, graded {}", graded.grade), png_rgb(&drawn)?))
}
