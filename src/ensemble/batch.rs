//! How many knees go through the networks together: fewer, once the device's memory was too small for so many.

use super::GradeError;
use std::cell::Cell;

/// The most that go together. It only shrinks: memory that was too small once will be again.
pub struct BatchLimit(Cell<usize>);

impl BatchLimit {
    /// At first so many, at least one.
    pub fn new(most: usize) -> Self {
        Self(Cell::new(most.max(1)))
    }

    /// The limit as it is now.
    pub fn get(&self) -> usize {
        self.0.get()
    }

    /// Takes all items through `step`, in order, as many at a time as the limit allows and few of any other number. Where the memory does not suffice,
    /// the limit is halved and the same items are tried again; one that does not fit alone is an error.
    pub fn take_through<T, R>(
        &self,
        items: &[T],
        step: impl Fn(&[T]) -> Result<Vec<R>, GradeError>,
    ) -> Result<Vec<R>, GradeError> {
        let mut done = Vec::with_capacity(items.len());
        while done.len() < items.len() {
            let left = &items[done.len()..];
            let together = few_sizes(left.len(), self.get());
            match step(&left[..together]) {
                Ok(answers) => done.extend(answers),
                Err(GradeError::OutOfMemory(_)) if together > 1 => {
                    self.0.set(together.div_ceil(2).min(together - 1));
                    tracing::warn!(
                        knees = self.get(),
                        "the memory is too small for {together} knees; fewer go together"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// A full batch, or the largest power of two: a GPU looks for the best kernels anew for every size of batch that it sees.
fn few_sizes(left: usize, limit: usize) -> usize {
    if left >= limit { limit } else { 1 << left.ilog2() }
}
