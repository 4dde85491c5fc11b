//! How many knees go through the networks together: fewer, while the device's memory is too small for so many.

use super::GradeError;
use std::cell::Cell;

/// Batches without trouble after which more are tried together again: who took the memory of a shared GPU may have gone.
const TRUST_AFTER: u32 = 1000;

/// The most that go together.
pub struct BatchLimit {
    most: Cell<usize>,
    now: Cell<usize>,
    good: Cell<u32>,
}

impl BatchLimit {
    /// At most so many, at least one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most: Cell::new(most), now: Cell::new(most), good: Cell::new(0) }
    }

    /// Another limit, as if it were new.
    pub fn set(&self, most: usize) {
        let Self { most, now, good } = Self::new(most);
        self.most.swap(&most);
        self.now.swap(&now);
        self.good.swap(&good);
    }

    /// The limit as it is now.
    pub fn get(&self) -> usize {
        self.now.get()
    }

    /// Whether so many go together, and are not divided.
    pub fn is_one(&self, items: usize) -> bool {
        items > 0 && few_sizes(items, self.get()) == items
    }

    /// Takes all items through `step`, in order: as many at a time as the limit allows, and few of any other number.
    ///
    /// Where the memory does not suffice, the limit is halved and the same items are tried again; one that does not fit
    /// alone is an error.
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
                Ok(answers) => {
                    done.extend(answers);
                    self.went_well();
                }
                Err(GradeError::OutOfMemory(_)) if together > 1 => {
                    self.now.set(together / 2);
                    self.good.set(0);
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

    fn went_well(&self) {
        self.good.set(self.good.get() + 1);
        if self.get() < self.most.get() && self.good.get() >= TRUST_AFTER {
            self.now.set((self.get() * 2).min(self.most.get()));
            self.good.set(0);
        }
    }
}

/// A full batch, or the largest power of two: a GPU chooses its kernels anew for every size of batch that it sees.
fn few_sizes(left: usize, limit: usize) -> usize {
    if left >= limit { limit } else { 1 << left.ilog2() }
}
