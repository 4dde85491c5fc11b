//! Untrusted bytes are decoded in processes of their own, which have no files, no network and little memory: what a crash, a
//! hang or a bomb takes down is one file's decoder, and what a file might make of a decoder has nothing to reach for.
//!
//! [`Decoders`] keeps such processes and asks them; [`child`] is what they do; [`sandbox`] is what they give up; [`wire`] is
//! how the two talk, and [`answer`] what is said.

pub mod answer;
pub mod child;
mod decoded;
mod process;
mod program;
mod sandbox;
mod wire;

pub use decoded::Decoded;
pub use program::program;
pub use sandbox::Sandbox;

use crate::radiograph::{Limits, Refusal};
use crate::side::Side;
use process::{Lost, Process};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What one file may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes, pixels and sides.
    pub limits: Limits,
    /// Memory for its decoding, in bytes.
    pub memory: u64,
    /// Time for its decoding.
    pub time: Duration,
}

/// A file that is no radiograph that can be graded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// One stable word.
    pub code: &'static str,
    /// One sentence.
    pub reason: String,
}

/// Why bytes have not become a [`Decoded`] radiograph.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file's own fault.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No process could be had to decode it; it may be tried again.
    #[error("the decoder, a process of its own, cannot be started: {0}")]
    Process(#[from] io::Error),
}

/// Of both programs.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// After so many files a process is replaced, so that nothing adds up.
const FILES_A_LIFE: usize = 256;

/// Processes that decode. Clones share them; as many are started as files are decoded at a time.
#[derive(Clone, Debug)]
pub struct Decoders {
    program: Arc<PathBuf>,
    budget: Budget,
    idle: Arc<Mutex<Vec<Process>>>,
}

impl Decoders {
    /// `program` is what [`program`] finds.
    pub fn new(program: PathBuf, budget: Budget) -> Self {
        Self { program: Arc::new(program), budget, idle: Arc::default() }
    }

    /// What one file may ask for.
    pub fn limits(&self) -> &Limits {
        &self.budget.limits
    }

    /// How long a file's decoding takes at most: it has two chances.
    pub fn longest(&self) -> Duration {
        2 * self.budget.time
    }

    /// What the kernel takes from the processes.
    pub fn sandbox(&self) -> io::Result<Sandbox> {
        let process = self.fresh()?;
        let sandbox = process.sandbox;
        self.put_back(process);
        Ok(sandbox)
    }

    /// Reads the bytes of a file; blocks. A lone knee of unknown side takes the side that the file's name says.
    ///
    /// A file that takes a process down has a second chance with a new one, since the first may have died of something else.
    pub fn decode(&self, bytes: &[u8], side_by_name: Side) -> Result<Decoded, DecodeError> {
        let Budget { limits, time, .. } = self.budget;
        if bytes.len() as u64 > limits.max_bytes {
            let refusal = Refusal::TooLarge(format!("it has {} bytes, the limit is {}", bytes.len(), limits.max_bytes));
            return Err(Refused::from(refusal).into());
        }
        let known = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let first = match known {
            Some(process) => process,
            None => self.fresh()?,
        };
        let outcome = match self.ask(first, bytes, side_by_name) {
            Err(_) => self.ask(self.fresh()?, bytes, side_by_name),
            answered => answered,
        };
        outcome.unwrap_or_else(|lost| Err(self.refused(lost, time))).map_err(DecodeError::Refused)
    }

    fn ask(&self, mut process: Process, bytes: &[u8], side: Side) -> Result<Result<Decoded, Refused>, Lost> {
        let answer = process.ask(bytes, side, &self.budget)?;
        self.put_back(process);
        Ok(answer)
    }

    fn fresh(&self) -> io::Result<Process> {
        Process::start(&self.program, &self.budget)
    }

    fn put_back(&self, process: Process) {
        if process.files < FILES_A_LIFE {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        }
    }

    fn refused(&self, lost: Lost, time: Duration) -> Refused {
        match lost {
            Lost::Slow => Refused {
                code: "decoder-slow",
                reason: format!(
                    "The file was not decoded within {}, twice: export it again, or raise the limit.",
                    humantime::format_duration(time)
                ),
            },
            Lost::Died => Refused {
                code: "decoder-died",
                reason: format!(
                    "The decoder died of the file, twice; it may have asked for more memory than {}: export it again.",
                    bytesize::ByteSize(self.budget.memory).display().iec()
                ),
            },
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), reason: refusal.to_string() }
    }
}
