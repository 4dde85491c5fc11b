//! The thread that owns the device: knees come in, wait a moment for company, and go through together.

use crate::ensemble::{Ensemble, GradeError, Graded};
use image::GrayImage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The knees of one radiograph, and who waits for their grades.
struct Job {
    knees: Arc<Vec<GrayImage>>,
    reply: oneshot::Sender<Result<Vec<Graded>, GradeError>>,
}

/// A handle on the device's thread, which ends when the handle is dropped.
pub struct Grader {
    jobs: mpsc::Sender<Job>,
    stopped: Arc<AtomicBool>,
}

/// The grader takes no more.
#[derive(Debug, thiserror::Error)]
#[error("the program is stopping")]
pub struct Stopped;

impl Grader {
    /// Start the thread. Batches hold about `batch` knees; the first of one waits at most `wait` for the others.
    pub fn start(ensemble: Ensemble, batch: usize, wait: Duration) -> Self {
        let (jobs, queue) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        std::thread::Builder::new()
            .name("device".into())
            .spawn(move || {
                while let Some(jobs) = next_batch(&queue, batch, wait) {
                    if !stop.load(Ordering::Relaxed) {
                        answer(&ensemble, jobs);
                    }
                }
            })
            .expect("a thread can be started");
        Self { jobs, stopped }
    }

    /// Grade the knees of one radiograph.
    pub async fn grade(&self, knees: Arc<Vec<GrayImage>>) -> Result<Result<Vec<Graded>, GradeError>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { knees, reply }).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Drop what is queued; the batch on the device is finished.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the program is stopping.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

fn next_batch(queue: &mpsc::Receiver<Job>, batch: usize, wait: Duration) -> Option<Vec<Job>> {
    let first = queue.recv().ok()?;
    let deadline = Instant::now() + wait;
    let mut knees = first.knees.len();
    let mut jobs = vec![first];
    while knees < batch {
        let Ok(job) = queue.recv_timeout(deadline.saturating_duration_since(Instant::now())) else { break };
        knees += job.knees.len();
        jobs.push(job);
    }
    Some(jobs)
}

fn answer(ensemble: &Ensemble, jobs: Vec<Job>) {
    let knees: Vec<&GrayImage> = jobs.iter().flat_map(|job| job.knees.iter()).collect();
    // A panic below must not end the thread that everybody waits for.
    let graded = catch_unwind(AssertUnwindSafe(|| ensemble.grade(&knees)))
        .unwrap_or_else(|_| Err(GradeError::Torch("the networks panicked".into())));
    match graded {
        Ok(graded) => {
            let mut graded = graded.into_iter();
            for job in jobs {
                let own = graded.by_ref().take(job.knees.len()).collect();
                let _ = job.reply.send(Ok(own)); // whoever asked may have gone
            }
        }
        // One bad picture must not take its batch along: each radiograph by itself.
        Err(_) if jobs.len() > 1 => jobs.into_iter().for_each(|job| answer(ensemble, vec![job])),
        Err(error) => jobs.into_iter().for_each(|job| drop(job.reply.send(Err(error.clone())))),
    }
}
