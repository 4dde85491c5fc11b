//! Since when something does not work: shared by who notices it and who tells of it.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Something that works, or has not worked since a moment. Clones are of the same thing.
#[derive(Clone, Debug, Default)]
pub struct Outage(Arc<Mutex<Trouble>>);

#[derive(Debug, Default)]
struct Trouble {
    /// By the clock that never steps.
    since: Option<Instant>,
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
        self.held().since.get_or_insert_with(Instant::now);
    }

    /// It works, unless somebody waits.
    pub fn end(&self) {
        self.held().go_on();
    }

    /// Somebody waits: it does not work until the last of those who do goes on, whatever others get done meanwhile.
    pub fn wait(&self) -> Waiting {
        let mut trouble = self.held();
        trouble.since.get_or_insert_with(Instant::now);
        trouble.waiting += 1;
        drop(trouble);
        Waiting(self.clone())
    }

    /// For how long it has not worked; none where it does.
    pub fn lasts(&self) -> Option<Duration> {
        self.held().since.map(|since| since.elapsed())
    }

    /// Since when it does not work, by what the clock says now; none where it does.
    pub fn since(&self) -> Option<Timestamp> {
        let now = Timestamp::now();
        self.lasts().map(|lasts| now.checked_sub(lasts).unwrap_or(now))
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
