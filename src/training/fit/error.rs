//! Why a fit ended without a network.

use crate::ensemble::GradeError;
use crate::networks::weights::WeightsError;
use std::io;
use tch::TchError;

/// An error about one fit; the others go on.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The loss is no number any more.
    #[error("the loss is not finite in epoch {epoch}; a lower rate may help")]
    NotFinite {
        /// Counted from 1.
        epoch: usize,
    },
    /// The device has too little memory.
    #[error("the device has too little memory for this network; a smaller batch or image_size needs less: {0}")]
    Memory(String),
    /// libtorch failed.
    #[error("libtorch failed: {0}")]
    Torch(String),
    /// The first weights cannot be used.
    #[error("the first weights cannot be used: {0}")]
    Weights(#[source] WeightsError),
    /// There are no first weights.
    #[error("there is nothing to begin from: {0}")]
    Beginning(String),
    /// What was learnt cannot be put on disk.
    #[error("it cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A checkpoint is not this fit's.
    #[error("its checkpoint cannot be used: {0}")]
    Checkpoint(String),
    /// Somebody asked it to stop; it goes on from its last epoch.
    #[error("it was stopped")]
    Stopped,
}

impl From<WeightsError> for FitError {
    fn from(error: WeightsError) -> Self {
        match error {
            WeightsError::Torch(error) => error.into(),
            other => Self::Weights(other),
        }
    }
}

impl From<TchError> for FitError {
    fn from(error: TchError) -> Self {
        match GradeError::from(error) {
            GradeError::OutOfMemory(words) => Self::Memory(words),
            other => Self::Torch(other.to_string()),
        }
    }
}
