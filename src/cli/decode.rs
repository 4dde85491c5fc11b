//! `kellgrend decode`

use super::{Exit, Failure};
use crate::decoding::child;
use crate::radiograph::Limits;

/// Decode radiographs for the process at the other end of standard input, without files, network or much memory
///
/// Not for humans: `kellgrend run` and other commands start it.
#[derive(Debug, clap::Args)]
pub(super) struct Decode {
    #[arg(long)]
    max_bytes: u64,
    #[arg(long)]
    max_pixels: u64,
    #[arg(long)]
    max_side: u32,
    #[arg(long)]
    memory: u64,
}

impl Decode {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let Self { max_bytes, max_pixels, max_side, memory } = self;
        child::serve(&Limits { max_bytes, max_pixels, max_side }, memory)?;
        Ok(Exit::Done)
    }
}
