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

impl Trouble {
    fn go_on(&mut self) {
        if self.waiting == 0 {
            self.since = None;
        }
    }
}

/// One that waits until it works again; when this is dropped, it does so no more.
#[derive(Debug)]
pub struct Waiting(Outage);

impl Outage {
    /// It does not work; since now, if it did before.
    pub fn begin(&self) {
        self.held().since.get_or_insert_with(Timestamp::now);
    }

    /// It works, unless somebody waits.
    pub fn end(&self) {
        self.held().go_on();
    }

    /// Somebody waits: it does not work until the last of those who do goes on, whatever others get done meanwhile.
    pub fn wait(&self) -> Waiting {
        let mut trouble = self.held();
        trouble.since.get_or_insert_with(Timestamp::now);
        trouble.waiting += 1;
        drop(trouble);
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
        trouble.waiting -= 1;
        trouble.go_on();
    }
}
