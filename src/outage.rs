//! Since when something does not work: shared by who notices it and who tells of it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that works, or has not worked since a moment. Clones are of the same thing.
#[derive(Clone, Debug, Default)]
pub struct Outage(Arc<Mutex<Trouble>>);

#[derive(Debug, Default)]
struct Trouble {
    since: Option<Timestamp>,
    waiting: usize,
}

/// One that waits until it works again; when this is dropped, it does so no more.
#[derive(Debug)]
pub struct Waiting(Outage);

impl Outage {
    /// It does not work; since now, if it did before.
    pub fn begin(&self) {
        self.held().since.get_or_insert_with(Timestamp::now);
    }

    /// It works.
    pub fn end(&self) {
        self.held().since = None;
    }

    /// Somebody waits: it does not work until the last of those who do goes on, whatever others get done meanwhile.
    pub fn wait(&self) -> Waiting {
        self.begin();
        self.held().waiting += 1;
        Waiting(self.clone())
    }

    /// Since when it does not work; none where it does.
    pub fn since(&self) -> Option<Timestamp> {
        self.held().since
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut trouble = self.0.held();
        trouble.waiting = trouble.waiting.saturating_sub(1);
        if trouble.waiting == 0 {
            trouble.since = None;
        }
    }
}
