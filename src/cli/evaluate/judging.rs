//! Labelled radiographs through the networks, without a trace in ledger or outbox.

use super::labelled::Labelled;
use crate::digest::Digest;
use crate::ensemble::Graded;
use crate::grade::KlGrade;
use crate::grading::{Decoded, Grader};
use crate::radiograph::{Limits, patient_from_name, side_from_name};
use image::GrayImage;
use indicatif::ProgressBar;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A knee that was judged.
pub(super) struct Judged {
    /// The patient ID or, without one, what the file's name says before the side.
    pub(super) patient: String,
    pub(super) truth: KlGrade,
    pub(super) graded: Graded,
}

/// A file that was not.
#[derive(Debug, serde::Serialize)]
pub(super) struct Passed {
    pub(super) file: PathBuf,
    pub(super) reason: String,
}

/// A file that can be judged.
struct Film {
    digest: Digest,
    patient: String,
    knee: GrayImage,
}

/// Judges all files, up to `jobs` decoded and `in_flight` under way at a time; those of the same bytes once.
pub(super) async fn judge(
    files: Vec<Labelled>,
    grader: Arc<Grader>,
    limits: Limits,
    jobs: usize,
    in_flight: usize,
    progress: &ProgressBar,
) -> anyhow::Result<(Vec<Judged>, Vec<Passed>)> {
    let decoding = Arc::new(Semaphore::new(jobs));
    let mut files = files.into_iter();
    let mut under_way = VecDeque::new();
    let (mut judged, mut passed) = (Vec::new(), Vec::new());
    let mut seen = HashMap::new();
    loop {
        while under_way.len() < in_flight {
            let Some(file) = files.next() else { break };
            let task = tokio::spawn(one(file.clone(), decoding.clone(), grader.clone(), limits));
            under_way.push_back((file, task));
        }
        let Some((file, task)) = under_way.pop_front() else { break };
        let outcome = task.await?.and_then(|(digest, patient, graded)| {
            let judged = Judged { patient, truth: file.truth, graded };
            match seen.insert((digest, file.position), file.truth) {
                None => Ok(judged),
                Some(before) if before == file.truth => Err("the same bytes were judged before".to_owned()),
                Some(before) => Err(format!("the same bytes are in a folder of grade {before}, too")),
            }
        });
        match outcome {
            Ok(knee) => judged.push(knee),
            Err(reason) => passed.push(Passed { file: file.path, reason }),
        }
        progress.inc(1);
    }
    Ok((judged, passed))
}

async fn one(
    file: Labelled,
    decoding: Arc<Semaphore>,
    grader: Arc<Grader>,
    limits: Limits,
) -> Result<(Digest, String, Graded), String> {
    let job = decoding.acquire().await.map_err(|closed| closed.to_string())?;
    let film = tokio::task::spawn_blocking(move || read(&file, &limits));
    let Film { digest, patient, knee } = film.await.map_err(|_| "it could not be decoded".to_owned())??;
    drop(job);
    let graded = grader.grade(Arc::new(vec![knee])).await.map_err(|stopped| stopped.to_string())?;
    let graded = graded.map_err(|error| error.to_string())?;
    Ok((digest, patient, graded.into_iter().next().ok_or("it has no grade")?))
}

fn read(file: &Labelled, limits: &Limits) -> Result<Film, String> {
    let Labelled { path, position, patient, .. } = file;
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let decoded = Decoded::read(&bytes, limits, side_from_name(&name)).map_err(|refusal| refusal.to_string())?;
    let knee = match (decoded.crops(), position) {
        ([knee], None) => knee,
        (_, None) => return Err("it shows two knees, and its folder says one grade".to_owned()),
        (knees, Some(position)) => knees.get(*position).ok_or("it does not show that knee any more")?,
    };
    let by_file = || decoded.patient_id().unwrap_or(patient_from_name(&name)).to_owned();
    Ok(Film { digest: Digest::of(&bytes), patient: patient.clone().unwrap_or_else(by_file), knee: knee.clone() })
}
