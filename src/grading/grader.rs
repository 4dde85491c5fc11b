//! The thread that owns the device: knees come in, wait a moment for company, and go through together.

use super::queue::{Job, Queue};
use crate::ensemble::{Ensemble, GradeError, Graded};
use crate::gauges::{Gauges, Step, Under};
use crate::gpu;
use image::GrayImage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// So many radiographs wait at most. It is more than the largest settings let be under way, so that nobody ever waits for a place.
const QUEUE: usize = 1 << 15;

/// A handle on the device's thread, which ends when the handle is dropped.
pub struct Grader {
    jobs: mpsc::SyncSender<Job>,
    stopped: Arc<AtomicBool>,
    gauges: Arc<Gauges>,
    thread: JoinHandle<Ensemble>,
}

/// The grader takes no more.
#[derive(Debug, thiserror::Error)]
#[error("the program is stopping")]
pub struct Stopped;

impl Grader {
    /// Start the thread. Batches hold up to `batch` knees, the first of which waits at most `wait` for the others.
    pub fn start(ensemble: Ensemble, batch: usize, wait: Duration, gauges: Arc<Gauges>) -> Self {
        let (jobs, queue) = mpsc::sync_channel(QUEUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, count) = (stopped.clone(), gauges.clone());
        let thread = std::thread::Builder::new()
            .name("device".into())
            .spawn(move || {
                serve(&ensemble, Queue::new(queue, batch, wait), &stop, &count);
                ensemble
            })
            .expect("a thread can be started");
        Self { jobs, stopped, gauges, thread }
    }

    /// Grade the knees of one radiograph.
    pub async fn grade(&self, knees: Arc<Vec<GrayImage>>) -> Result<Result<Vec<Graded>, GradeError>, Stopped> {
        let (reply, answer) = oneshot::channel();
        let waits = Some(self.gauges.begin(Step::DeviceWait));
        self.jobs.send(Job { knees, reply, waits }).map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// The networks back, once all is answered; none where the thread ended by a defect.
    pub fn into_ensemble(self) -> Option<Ensemble> {
        drop(self.jobs);
        self.thread.join().ok()
    }

    /// Drop what is queued; the batch on the device is finished.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the thread is gone, and nothing will be graded any more.
    pub fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }

    /// Whether the program is stopping.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Answers all jobs until the handles are gone.
fn serve(ensemble: &Ensemble, mut queue: Queue, stopped: &AtomicBool, gauges: &Arc<Gauges>) {
    // what a night of full batches took is for others in the morning, a training above all
    let rest = || {
        if ensemble.is_on_gpu() {
            gpu::give_back()
        }
    };
    while let Some(jobs) = queue.next(rest) {
        if stopped.load(Ordering::Relaxed) {
            continue;
        }
        let step = batch(ensemble, gauges, &jobs);
        match ensemble.overlaps(knees(&jobs).len()) {
            true => overlapping(ensemble, &mut queue, (jobs, step), stopped, gauges),
            false => answer(ensemble, jobs),
        }
    }
}

/// Answers jobs, and others while they come in full batches: each is given to the device before the one before is answered.
fn overlapping(
    ensemble: &Ensemble,
    queue: &mut Queue,
    (jobs, step): (Vec<Job>, Under),
    stopped: &AtomicBool,
    gauges: &Arc<Gauges>,
) {
    let mut at_work = match caught(|| ensemble.begin(&knees(&jobs))) {
        Ok(begun) => (begun, jobs, step),
        // whatever it is, it is dealt with where nothing overlaps
        Err(_) => return answer(ensemble, jobs),
    };
    while let Some(next) = queue.next_full().filter(|_| !stopped.load(Ordering::Relaxed)) {
        let (begun, jobs, _step) = at_work;
        let step = batch(ensemble, gauges, &next);
        if !ensemble.overlaps(knees(&next).len()) {
            finish(ensemble, jobs, caught(|| ensemble.finish(begun)));
            return answer(ensemble, next);
        }
        let (graded, begun) = caught(|| Ok(ensemble.go_on(begun, &knees(&next))))
            .unwrap_or_else(|error| (Err(error.clone()), Err(error)));
        finish(ensemble, jobs, graded);
        at_work = match begun {
            Ok(begun) => (begun, next, step),
            Err(_) => return answer(ensemble, next),
        };
    }
    let (begun, jobs, _step) = at_work;
    finish(ensemble, jobs, caught(|| ensemble.finish(begun)));
}

/// A batch begins.
fn batch(ensemble: &Ensemble, gauges: &Arc<Gauges>, jobs: &[Job]) -> Under {
    gauges.begin_batch(jobs.iter().map(|job| job.knees.len()).sum(), ensemble.is_on_gpu())
}

/// Sends what became of the jobs, or sees what is wrong with them.
fn finish(ensemble: &Ensemble, jobs: Vec<Job>, graded: Result<Vec<Graded>, GradeError>) {
    match graded {
        Ok(graded) => reply(jobs, graded),
        Err(_) => answer(ensemble, jobs),
    }
}

fn answer(ensemble: &Ensemble, jobs: Vec<Job>) {
    match caught(|| ensemble.grade(&knees(&jobs))) {
        Ok(graded) => reply(jobs, graded),
        // One bad picture must not take its batch along: each radiograph by itself.
        Err(_) if jobs.len() > 1 => jobs.into_iter().for_each(|job| answer(ensemble, vec![job])),
        Err(error) => jobs.into_iter().for_each(|job| drop(job.reply.send(Err(error.clone())))),
    }
}

fn reply(jobs: Vec<Job>, graded: Vec<Graded>) {
    let mut graded = graded.into_iter();
    for job in jobs {
        let own = graded.by_ref().take(job.knees.len()).collect();
        let _ = job.reply.send(Ok(own)); // whoever asked may have gone
    }
}

fn knees(jobs: &[Job]) -> Vec<&GrayImage> {
    jobs.iter().flat_map(|job| job.knees.iter()).collect()
}

/// A panic of the networks must not end the thread that everybody waits for.
fn caught<T>(work: impl FnOnce() -> Result<T, GradeError>) -> Result<T, GradeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(GradeError::Torch("the networks panicked".into())))
}
