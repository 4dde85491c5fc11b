//! One batch comes and another goes while the networks are at work on a third.

use crate::gpu::{self, Lane};
use tch::{TchError, Tensor};

/// Lanes beside the networks'.
pub struct Overlap {
    gpu: usize,
    copies: Lane,
    outcomes: Lane,
}

impl Overlap {
    pub fn new(gpu: usize) -> Result<Self, TchError> {
        Ok(Self { gpu, copies: Lane::new(gpu)?, outcomes: Lane::urgent(gpu)? })
    }

    /// A tensor's copy on the device. The networks' stream may read it behind [`Self::uploaded`], and whoever owns it keeps
    /// it until that is done.
    pub fn upload(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        self.copies.run(|| gpu::upload(tensor, self.gpu))
    }

    /// What the networks are given from now on waits for the copies.
    pub fn uploaded(&self) -> Result<(), TchError> {
        self.copies.join()
    }

    /// Outcomes wait for all that the networks were given until now, and for nothing later.
    pub fn mark(&self) -> Result<(), TchError> {
        self.outcomes.follow()
    }

    /// Computes outcomes of what was begun before the mark, and waits for them.
    pub fn since_mark<T, E: From<TchError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.outcomes.run(work)
    }
}
