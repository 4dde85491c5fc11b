//! Who came alone and who in a crowd: a film that was taken just now is not to wait behind an archive.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A file that comes no later than this after another, into the same subfolder of the inbox or the inbox itself, came with it.
/// Films that come more slowly are graded as they come, and none waits for them.
const TOGETHER: Duration = Duration::from_secs(5);
/// More than so many are an archive. A busy department sends some tens of films at once.
const ARCHIVE: usize = 100;

/// The crowds that still grow, by the subfolder that they come into, and when the last of each came.
pub(super) struct Crowds {
    inbox: PathBuf,
    growing: HashMap<OsString, (Instant, Crowd)>,
}

/// Those with which a file came.
#[derive(Clone, Default)]
pub(super) struct Crowd(Rc<Cell<usize>>);

impl Crowds {
    pub(super) fn new(inbox: &Path) -> Self {
        Self { inbox: inbox.to_owned(), growing: HashMap::new() }
    }

    /// A file is seen for the first time.
    pub(super) fn join(&mut self, path: &Path, now: Instant) -> Crowd {
        let below = path.strip_prefix(&self.inbox).unwrap_or(path).parent();
        let place = below.and_then(|below| below.iter().next()).unwrap_or_default();
        let (last, crowd) = self.growing.entry(place.to_owned()).or_insert_with(|| (now, Crowd::default()));
        if now.saturating_duration_since(*last) > TOGETHER {
            *crowd = Crowd::default();
        }
        *last = now;
        crowd.0.set(crowd.0.get() + 1);
        crowd.clone()
    }

    /// Forget those of which no file is left.
    pub(super) fn tidy(&mut self) {
        self.growing.retain(|_, (_, crowd)| Rc::strong_count(&crowd.0) > 1);
    }
}

impl Crowd {
    pub(super) fn is_archive(&self) -> bool {
        self.0.get() > ARCHIVE
    }
}
