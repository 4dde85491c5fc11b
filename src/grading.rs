//! One radiograph: decode -> knees -> ensemble -> ledger -> outbox.
//!
//! Reads downwards as the way of a radiograph. Every step may be repeated after a crash: what the ledger or the
//! outbox has already is left as it is.

mod grader;
mod identity;
mod queue;
mod result;

pub use grader::{Grader, Stopped};
pub use identity::{IdentityError, IdentityPolicy, KeptName};
pub use result::{Imprint, folder_name};

use crate::decoding::{DecodeError, Decoded, Decoders, Refused};
use crate::digest::Digest;
use crate::ensemble::{GradeError, Graded};
use crate::gauges::{Gauges, Step};
use crate::ledger::{FileId, GradedKnee, Ledger, LedgerError, Recorded, StartId, now};
use crate::outbox::overlay::{PngError, WrongMap};
use crate::outbox::publish::{PublishError, publish};
use crate::radiograph::Refusal;
use crate::side::Side;
use crate::state::{UNKNOWN, extension};
use image::GrayImage;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A radiograph to grade.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its file's id in the ledger.
    pub file: FileId,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Where the bytes are.
    pub path: PathBuf,
    /// What the name it came with says of the side; the tags, where there are any, know better.
    pub side_by_name: Side,
    /// The name it came with, where it may be kept.
    pub name: Option<String>,
    /// When it was claimed, RFC 3339.
    pub arrived: String,
}

/// What became of a radiograph.
#[derive(Debug)]
pub enum Fate {
    /// Graded, on record, and in the outbox.
    Published {
        /// What the ledger has.
        knees: Recorded,
        /// The ending of the name its original is kept under.
        extension: &'static str,
        /// How long it took.
        times: Times,
    },
    /// It cannot be graded.
    Refused {
        /// One stable word.
        code: &'static str,
        /// One sentence.
        reason: String,
        /// The ending of the name its original is kept under.
        extension: &'static str,
    },
}

/// How long the steps of a radiograph's way took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Bytes to knees.
    pub decode: Duration,
    /// Through the networks, the wait for the device with it.
    pub networks: Duration,
    /// On record, drawn and in the outbox.
    pub publish: Duration,
}

/// What keeps a radiograph from being graded now; nothing is lost and it may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The program is stopping; the rest is left for the next start.
    #[error("the program is stopping")]
    Stopped(#[from] Stopped),
    /// The original cannot be read.
    #[error("an original cannot be read back: {0}")]
    Read(#[from] io::Error),
    /// The original cannot be moved to where its fate belongs.
    #[error("an original cannot be put away: {0}")]
    PutAway(io::Error),
    /// The original is not what was claimed.
    #[error("an original changed while it was in work")]
    Changed,
    /// We failed on this radiograph; not the system, and not the film's fault.
    #[error("a defect: {0}")]
    Defect(&'static str),
    /// No process could be had that decodes.
    #[error("{0}")]
    Decoder(DecodeError),
    /// The networks failed, not the radiograph.
    #[error("the networks failed: {0}")]
    Networks(String),
    /// The networks fail even on what is known to be good.
    #[error(
        "the networks fail even on a picture that is known to be good ({0}): the device may be lost, which only another start \
         can mend; what is in work waits for that"
    )]
    Device(String),
    /// The device's memory is full, whoever filled it.
    #[error("{0}")]
    Memory(String),
    /// The ledger cannot take the answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The outbox cannot take the result.
    #[error(transparent)]
    Outbox(#[from] PublishError),
}

impl Trouble {
    /// One stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stopped(_) => "stopped",
            Self::Read(_) => "read",
            Self::PutAway(_) => "put-away",
            Self::Changed => "changed",
            Self::Defect(_) => "defect",
            Self::Decoder(_) => "decoder",
            Self::Networks(_) => "networks",
            Self::Device(_) => "device",
            Self::Memory(_) => "memory",
            Self::Ledger(_) => "ledger",
            Self::Outbox(_) => "outbox",
        }
    }
}

/// The same map and film would fail again.
fn undrawn(error: &dyn std::error::Error) -> Trouble {
    tracing::warn!("a Grad-CAM picture cannot be drawn: {error}");
    Trouble::Defect("a Grad-CAM picture cannot be drawn")
}

impl From<WrongMap> for Trouble {
    fn from(error: WrongMap) -> Self {
        undrawn(&error)
    }
}

impl From<PngError> for Trouble {
    fn from(error: PngError) -> Self {
        undrawn(&error)
    }
}

/// What is the same for every radiograph that a start grades.
pub struct Context {
    /// Where answers are put on record.
    pub ledger: Ledger,
    /// The start that grades.
    pub start: StartId,
    /// Where results appear.
    pub outbox: PathBuf,
    /// What decodes.
    pub decoders: Decoders,
    /// What every result says of its making.
    pub imprint: Imprint,
    /// Where it is counted.
    pub gauges: Arc<Gauges>,
}

/// Grades radiographs, several at a time.
pub struct Grading {
    context: Arc<Context>,
    grader: Grader,
    /// Permits to decode, and permits to draw and publish: one a job. They are apart, since those who decode wait for
    /// memory that only those who publish give back.
    decoding: Arc<Semaphore>,
    publishing: Arc<Semaphore>,
    /// Permits for decoded pictures on their way through the networks, in KiB.
    memory: Arc<Semaphore>,
    memory_kib: u32,
}

impl Grading {
    /// Up to `jobs` radiographs are decoded, and as many drawn, at a time; those that wait for the networks hold at most
    /// `memory` bytes of pictures.
    pub fn new(context: Context, grader: Grader, jobs: usize, memory: u64) -> Self {
        let memory_kib = u32::try_from(memory / 1024).unwrap_or(u32::MAX >> 1).clamp(1, u32::MAX >> 1);
        Self {
            context: Arc::new(context),
            grader,
            decoding: Arc::new(Semaphore::new(jobs)),
            publishing: Arc::new(Semaphore::new(jobs)),
            memory: Arc::new(Semaphore::new(memory_kib as usize)),
            memory_kib,
        }
    }

    /// What may be kept of patients.
    pub fn identity(&self) -> &IdentityPolicy {
        &self.context.imprint.identity
    }

    /// Take one radiograph all the way. A refusal is on record when this returns.
    pub async fn grade(&self, subject: &Subject) -> Result<Fate, Trouble> {
        match self.take_through(subject).await {
            // Trying again would fail again: it is put aside, and the others go on.
            Err(Trouble::Defect(what)) => {
                let reason = format!("kellgrend failed on this file ({what}); please report it. Nothing is lost.");
                self.refuse(subject, "defect", reason, UNKNOWN).await
            }
            outcome => outcome,
        }
    }

    async fn take_through(&self, subject: &Subject) -> Result<Fate, Trouble> {
        let job = acquire(&self.decoding, 1).await;
        if self.grader.is_stopped() {
            return Err(Stopped.into());
        }
        let gauges = &self.context.gauges;
        let step = gauges.begin_long(Step::Decode, self.context.decoders.longest());
        let decoded = self.decode(subject).await?;
        let decode = step.end();
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err((Refused { code, reason }, extension)) => return self.refuse(subject, code, reason, extension).await,
        };
        let (at, extension) = (now(), decoded.format.extension());
        let bytes: usize = decoded.crops.iter().map(|crop| crop.as_raw().len()).sum();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.memory_kib);
        // The job is kept until there is room, so that decoding cannot run ahead of the networks without bound.
        let memory = acquire(&self.memory, kib).await;
        drop(job);

        let sent = Instant::now();
        let graded = match self.grader.grade(decoded.crops.clone()).await? {
            Ok(graded) => graded,
            Err(error @ (GradeError::NoPixels { .. } | GradeError::NotFinite { .. })) => {
                if matches!(error, GradeError::NotFinite { .. }) {
                    // a device that answers nothing else would condemn a whole archive
                    self.try_out().await?;
                }
                return self.refuse(subject, "not-gradable", error.to_string(), extension).await;
            }
            Err(GradeError::Torch(error)) => return Err(Trouble::Networks(error)),
            Err(error @ GradeError::OutOfMemory(_)) => return Err(Trouble::Memory(error.to_string())),
        };
        let networks = sent.elapsed();
        let _job = acquire(&self.publishing, 1).await;
        let step = gauges.begin(Step::Publish);
        let recorded = self.record(subject, &decoded, at, &graded).await?;
        self.publish(subject, decoded, graded, &recorded).await?;
        drop(memory);
        let times = Times { decode, networks, publish: step.end() };
        Ok(Fate::Published { knees: recorded, extension, times })
    }

    async fn decode(&self, subject: &Subject) -> Result<Result<Decoded, (Refused, &'static str)>, Trouble> {
        let (path, digest, by_name) = (subject.path.clone(), subject.digest, subject.side_by_name);
        let decoders = self.context.decoders.clone();
        blocking(move || {
            // A file over the limit is refused by its size alone, unread.
            let file = File::open(&path)?;
            let len = file.metadata()?.len();
            let most = decoders.limits().max_bytes;
            if len > most {
                let refusal = Refusal::TooLarge(format!("it has {len} bytes, the limit is {most}"));
                return Ok(Err((refusal.into(), UNKNOWN)));
            }
            let mut bytes = Vec::with_capacity(len as usize);
            // no more than that: its sender may have it open still, and write on
            file.take(most).read_to_end(&mut bytes)?;
            if Digest::of(&bytes) != digest {
                return Err(Trouble::Changed);
            }
            match decoders.decode(&bytes, by_name) {
                Ok(decoded) => Ok(Ok(decoded)),
                Err(DecodeError::Refused(refused)) => Ok(Err((refused, extension(&bytes)))),
                Err(error @ DecodeError::Process(_)) => Err(Trouble::Decoder(error)),
            }
        })
        .await
    }

    /// Puts a refusal on record.
    pub async fn refuse(
        &self,
        subject: &Subject,
        code: &'static str,
        reason: String,
        extension: &'static str,
    ) -> Result<Fate, Trouble> {
        self.context.ledger.quarantined(subject.file, code, reason.clone()).await?;
        Ok(Fate::Refused { code, reason, extension })
    }

    async fn record(
        &self,
        subject: &Subject,
        decoded: &Decoded,
        at: String,
        graded: &[Graded],
    ) -> Result<Recorded, Trouble> {
        let Context { ledger, start, imprint, .. } = &*self.context;
        let knees = decoded.sides.iter().zip(graded).map(|(&side, graded)| GradedKnee::new(side, graded)).collect();
        let row = result::radiograph_row(decoded, &imprint.identity);
        Ok(ledger.graded(subject.file, row, at, knees, imprint.release.digest, *start).await?)
    }

    async fn publish(
        &self,
        subject: &Subject,
        decoded: Decoded,
        graded: Vec<Graded>,
        recorded: &Recorded,
    ) -> Result<(), Trouble> {
        let (context, subject_, recorded) = (self.context.clone(), subject.clone(), recorded.clone());
        let pictures = blocking(move || {
            let folder = result::folder_name(&subject_.digest, &context.imprint.release.name);
            let (files, pictures) = context.imprint.files(&folder, &subject_, &decoded, &graded, &recorded)?;
            publish(&context.outbox, &folder, &files)?;
            Ok::<_, Trouble>(pictures)
        })
        .await?;
        Ok(self.context.ledger.published(subject.file, self.context.imprint.release.digest, pictures).await?)
    }

    /// Lets the networks have a picture that is known to be good: an error where it is no film's fault that they fail.
    pub async fn try_out(&self) -> Result<(), Trouble> {
        match self.grader.grade(Arc::new(vec![GrayImage::new(64, 64)])).await? {
            Ok(_) => Ok(()),
            Err(error @ GradeError::OutOfMemory(_)) => Err(Trouble::Memory(error.to_string())),
            Err(GradeError::Torch(error)) => Err(Trouble::Device(error)),
            Err(error) => Err(Trouble::Device(error.to_string())),
        }
    }

    /// Whether nothing will be graded any more, since the networks' thread is gone.
    pub fn is_gone(&self) -> bool {
        self.grader.is_gone()
    }

    /// Let go of what waits for the networks; what they have begun is finished.
    pub fn stop(&self) {
        self.grader.stop();
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, permits: u32) -> tokio::sync::OwnedSemaphorePermit {
    semaphore.clone().acquire_many_owned(permits).await.expect("the semaphore is never closed")
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(act).await {
        Ok(outcome) => outcome,
        // The panic's own words are in the log already, and may quote the file.
        Err(_) => Err(Trouble::Defect("a worker panicked")),
    }
}
