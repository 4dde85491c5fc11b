//! Views a second: of each network by itself, and of the ensemble as it grades.

use super::{clock::Clock, progress::Progress};
use crate::ensemble::{Ensemble, GradeError, Member};
use image::GrayImage;
use serde::Serialize;
use tch::{Cuda, Kind, Tensor};

/// Views a second for each number of views that go through together.
#[derive(Debug, Serialize)]
pub(super) struct Rates {
    /// The best of them.
    pub(super) views_per_second: f64,
    pub(super) best_batch: u32,
    pub(super) batches: Vec<Batch>,
}

#[derive(Debug, Serialize)]
pub(super) struct Batch {
    pub(super) batch: u32,
    /// None where the device's memory was too small.
    pub(super) views_per_second: Option<f64>,
}

/// One network.
#[derive(Debug, Serialize)]
pub(super) struct NetworkRates {
    pub(super) name: String,
    pub(super) image_size: u32,
    pub(super) weights_bytes: u64,
    #[serde(flatten)]
    pub(super) rates: Rates,
}

/// A member's forward pass, feature map and logits, on views that lie on the device as grading lays them.
pub(super) fn of_member(
    member: &Member,
    batches: &[u32],
    clock: &Clock,
    progress: &Progress,
) -> anyhow::Result<NetworkRates> {
    let size = i64::from(member.image_size());
    if clock.device().is_cuda() {
        // as grading has it for full batches
        Cuda::cudnn_set_benchmark(true);
    }
    let rates = best(member.name(), batches, progress, |batch| {
        let shape = [i64::from(batch), size, size, 3];
        let views =
            Tensor::f_randn(shape, (Kind::Float, clock.device())).and_then(|views| views.f_permute([0, 3, 1, 2]))?;
        Ok(f64::from(batch) * clock.rate(|| member.logits(&views).map(drop))?)
    })?;
    let (name, image_size) = (member.name().to_owned(), member.image_size());
    Ok(NetworkRates { name, image_size, weights_bytes: member.bytes(), rates })
}

/// From decoded knees to grades, and to maps where the ensemble makes them, as grading goes; a knee is two views, and four for a
/// network that looks twice.
pub(super) fn of_grading(
    what: &str,
    ensemble: &Ensemble,
    knee: &GrayImage,
    batches: &[u32],
    clock: &Clock,
    progress: &Progress,
) -> anyhow::Result<Rates> {
    best(what, batches, progress, |batch| {
        let knees = vec![knee; knees(batch)];
        ensemble.set_batch(knees.len());
        let mut begun = if ensemble.overlaps(knees.len()) { Some(ensemble.begin(&knees)?) } else { None };
        let rate = clock.rate(|| {
            let graded = match begun.take() {
                None => ensemble.grade(&knees)?.len(),
                // each step finishes what the one before has begun
                Some(before) => {
                    let (graded, next) = ensemble.go_on(before, &knees);
                    begun = Some(next?);
                    graded?.len()
                }
            };
            // where the memory was too small, fewer went together than was asked for
            match ensemble.knees_at_once() < graded {
                true => Err(GradeError::OutOfMemory(format!("{batch} views do not fit"))),
                false => Ok(()),
            }
        })?;
        let members = ensemble.members();
        let views: usize = members.iter().map(|member| 2 * member.looks().len()).sum();
        Ok(views as f64 / members.len() as f64 * knees.len() as f64 * rate)
    })
}

/// So many knees make a batch of views.
pub(super) fn knees(batch: u32) -> usize {
    batch.div_ceil(2) as usize
}

/// One view through all networks, one after the other.
pub(super) fn one_after_another(networks: &[NetworkRates]) -> f64 {
    networks.iter().map(|network| network.rates.views_per_second.recip()).sum::<f64>().recip()
}

pub(super) fn best(
    what: &str,
    batches: &[u32],
    progress: &Progress,
    mut measure: impl FnMut(u32) -> Result<f64, GradeError>,
) -> anyhow::Result<Rates> {
    let mut all = Vec::new();
    for &batch in batches {
        progress.next(&format!("{what}, {batch} views together"));
        let views_per_second = match measure(batch) {
            Ok(rate) => Some(rate),
            Err(GradeError::OutOfMemory(_)) => None,
            Err(error) => return Err(error.into()),
        };
        all.push(Batch { batch, views_per_second });
    }
    let rate_of = |batch: &Batch| batch.views_per_second.map(|rate| (rate, batch.batch));
    let best = all.iter().filter_map(rate_of).max_by(|a, b| a.0.total_cmp(&b.0));
    let (views_per_second, best_batch) = best.ok_or_else(|| {
        anyhow::anyhow!("{what}: the device's memory is too small for {batches:?} views; name fewer with --batch")
    })?;
    Ok(Rates { views_per_second, best_batch, batches: all })
}
