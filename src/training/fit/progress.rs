//! What a fit shows while it goes on.

use super::{Checkpoint, FitError};
use serde::{Deserialize, Serialize};

/// One pass over the knees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The rate at its end.
    pub rate: f64,
    /// The mean loss while it learnt, as it was minimised: of changed pictures, with label smoothing and the distance.
    pub train_loss: f64,
    /// -ln of the probability of the truth, on average over the knees that were left out.
    pub loss: f64,
    /// The share of these that it grades as the truth says.
    pub accuracy: f64,
    /// Their quadratic kappa; none where all are of one grade.
    pub quadratic_kappa: Option<f64>,
    /// How long it took.
    pub seconds: f64,
    /// Whether it is the new best.
    pub is_best: bool,
}

/// Who follows a fit.
pub trait Watch {
    /// A step of an epoch is about to be taken; false asks it to stop.
    fn step(&mut self, step: usize, steps: usize) -> bool;

    /// Others may go first; false asks to stop.
    fn pause(&mut self) -> bool;

    /// An epoch is over. Where it is not the last one, there is what it takes to go on from here.
    fn epoch(&mut self, epoch: &Epoch, checkpoint: Option<Checkpoint>) -> Result<(), FitError>;
}
