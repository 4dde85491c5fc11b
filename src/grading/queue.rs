//! Radiographs that wait for the device, put together to batches.

use crate::ensemble::{GradeError, Graded};
use crate::gauges::Under;
use crate::memory::GIVE_BACK_EVERY;
use image::GrayImage;
use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The knees of one radiograph, and who waits for their grades.
pub struct Job {
    pub knees: Arc<Vec<GrayImage>>,
    pub reply: oneshot::Sender<Result<Vec<Graded>, GradeError>>,
    /// While it waits.
    pub waits: Option<Under>,
}

/// Jobs in the order in which they came.
pub struct Queue {
    jobs: mpsc::Receiver<Job>,
    /// Those that have come and did not fit into a batch.
    waiting: VecDeque<Job>,
    batch: usize,
    wait: Duration,
}

impl Queue {
    /// Batches hold up to `batch` knees, the first of which waits at most `wait` for the others.
    pub fn new(jobs: mpsc::Receiver<Job>, batch: usize, wait: Duration) -> Self {
        Self { jobs, waiting: VecDeque::new(), batch, wait }
    }

    /// The next batch: as soon as it is full, or its first job has waited long enough. None when all handles are gone. Where
    /// none has come for a while, `rest` is called once.
    pub fn next(&mut self, rest: impl FnOnce()) -> Option<Vec<Job>> {
        if self.waiting.is_empty() {
            let first = match self.jobs.recv_timeout(GIVE_BACK_EVERY) {
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    rest();
                    self.jobs.recv().ok()?
                }
                first => first.ok()?,
            };
            self.waiting.push_back(first);
        }
        let deadline = Instant::now() + self.wait;
        while self.waiting_knees() < self.batch {
            let Ok(job) = self.jobs.recv_timeout(deadline.saturating_duration_since(Instant::now())) else { break };
            self.waiting.push_back(job);
        }
        Some(self.take())
    }

    /// The next batch if it is full at once.
    pub fn next_full(&mut self) -> Option<Vec<Job>> {
        self.waiting.extend(self.jobs.try_iter());
        (self.waiting_knees() >= self.batch).then(|| self.take())
    }

    fn waiting_knees(&self) -> usize {
        self.waiting.iter().map(|job| job.knees.len()).sum()
    }

    /// The first job, and of the others as many as fit into a batch with it. Those that do not are first in the next.
    fn take(&mut self) -> Vec<Job> {
        let mut knees = 0;
        let (mut batch, rest): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|job| {
            let fits = knees == 0 || knees + job.knees.len() <= self.batch;
            knees += if fits { job.knees.len() } else { 0 };
            fits
        });
        self.waiting.extend(rest);
        batch.iter_mut().for_each(|job| drop(job.waits.take()));
        batch
    }
}
