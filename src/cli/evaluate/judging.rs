//! Labelled radiographs through the networks, without a trace in ledger or outbox.

use crate::dataset::{Film, Labelled, Passed};
use crate::decoding::Decoders;
use crate::digest::Digest;
use crate::ensemble::Graded;
use crate::grading::Grader;
use indicatif::ProgressBar;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A knee that was judged.
pub(super) struct Judged {
    /// SHA-256 of its radiograph.
    pub(super) digest: Digest,
    /// The patient ID or, without one, what the file's name says before the side.
    pub(super) patient: String,
    /// Whether anything tells whose it is.
    pub(super) is_named: bool,
    /// Where it lies, and what is said of it.
    pub(super) file: Labelled,
    pub(super) graded: Graded,
}

/// Judges all files, up to `jobs` decoded and `in_flight` under way at a time; those of the same bytes once.
pub(super) async fn judge(
    files: Vec<Labelled>,
    grader: Arc<Grader>,
    decoders: Decoders,
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
            let task = tokio::spawn(one(file.clone(), decoding.clone(), grader.clone(), decoders.clone()));
            under_way.push_back((file, task));
        }
        let Some((file, task)) = under_way.pop_front() else { break };
        let outcome = task.await?.and_then(|(film, graded)| {
            let Film { digest, patient, is_named, .. } = film;
            let knee = Judged { digest, patient, is_named, file: file.clone(), graded };
            match seen.insert((digest, file.position), file.truth) {
                None => Ok(knee),
                Some(before) if before == file.truth => Err("the same bytes were judged before".to_owned()),
                // which of them is right, nobody knows here: the first one goes, too
                Some(before) => {
                    let why =
                        |grade| format!("the same bytes are in a folder of grade {grade}, too; none of them is used");
                    let is_first = |knee: &Judged| (knee.digest, knee.file.position) == (digest, file.position);
                    if let Some(at) = judged.iter().position(is_first) {
                        passed.push(Passed { file: judged.remove(at).file.path, reason: why(file.truth) });
                    }
                    Err(why(before))
                }
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
    decoders: Decoders,
) -> Result<(Film, Graded), String> {
    let job = decoding.acquire().await.map_err(|closed| closed.to_string())?;
    let film = tokio::task::spawn_blocking(move || file.read(&decoders));
    let film = film.await.map_err(|_| "it could not be decoded".to_owned())?;
    let mut film = film.map_err(|unread| unread.to_string())?;
    drop(job);
    let knee = std::mem::take(&mut film.knee);
    let graded = grader.grade(Arc::new(vec![knee])).await.map_err(|stopped| stopped.to_string())?;
    let graded = graded.map_err(|error| error.to_string())?;
    Ok((film, graded.into_iter().next().ok_or("it has no grade")?))
}
