//! Since when something does not work: shared by who notices it and who tells of it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that works, or has not worked since a moment. Clones are of the same thing.
#[derive(Clone, Debug, Default)]
pub struct Outage(Arc<Mutex<Option<Timestamp>>>);

impl Outage {
    /// It does not work; since now, if it did before.
    pub fn begin(&self) {
        self.held().get_or_insert_with(Timestamp::now);
    }

    /// It works.
    pub fn end(&self) {
        *self.held() = None;
    }

    /// Since when it does not work; none where it does.
    pub fn since(&self) -> Option<Timestamp> {
        *self.held()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
