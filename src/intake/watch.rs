//! inotify's hints that something may be new.

use super::Nudge;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Watches the inbox for as long as the system lets it. Without it, the timer finds everything, later.
pub(super) struct Watcher {
    inbox: PathBuf,
    hints: Nudge,
    watched: Option<((u64, u64), RecommendedWatcher)>,
    warned: bool,
}

impl Watcher {
    pub(super) fn new(inbox: &Path, hints: Nudge) -> Self {
        Self { inbox: inbox.to_owned(), hints, watched: None, warned: false }
    }

    /// Watch the folder that the inbox's name leads to now: it may have been unmounted, replaced, mounted again.
    pub(super) fn keep_up(&mut self) {
        let inode = std::fs::metadata(&self.inbox).ok().map(|meta| (meta.dev(), meta.ino()));
        if inode.is_none() || inode == self.watched.as_ref().map(|(inode, _)| *inode) {
            return;
        }
        self.watched = None;
        match self.watch() {
            Ok(watcher) => self.watched = inode.map(|inode| (inode, watcher)),
            Err(error) if !self.warned => {
                self.warned = true;
                tracing::warn!("no events from the inbox: {}; it is searched on the timer alone", reason(&error));
            }
            Err(_) => {}
        }
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let hints = self.hints.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error is an overflow or a lost folder: all the more reason to look.
            if event.map_or(true, |event| event.need_rescan() || tells_of_news(event.kind)) {
                hints.give();
            }
        })?;
        // One subfolder that may not be entered must not cost the events of all others.
        if let Err(error) = watcher.watch(&self.inbox, RecursiveMode::Recursive) {
            tracing::warn!("not every folder in the inbox gives events: {}; the timer finds the rest", reason(&error));
            watcher.watch(&self.inbox, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }
}

/// Why there are no events; without the path, which may name a patient.
fn reason(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::Io(error) => error.to_string(),
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit of watches is reached (fs.inotify.max_user_watches)".into()
        }
        _ => "the system refuses".into(),
    }
}

/// notify reports reads as well: our own scan must not wake us.
fn tells_of_news(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_)
            | EventKind::Modify(ModifyKind::Name(RenameMode::To))
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
    )
}
