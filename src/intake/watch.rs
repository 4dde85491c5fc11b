//! inotify's hints that something may be new.

use super::Nudge;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Watches the inbox for as long as the system lets it. Without it, the timer finds everything, later.
pub(super) struct Watcher {
    inbox: PathBuf,
    hints: Nudge,
    watched: Option<(Found, RecommendedWatcher)>,
    /// The file system that it was on when it was there last.
    device: Option<u64>,
    warned: bool,
}

/// What tells one folder from another that has its name: device, number, and when it was made.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found(u64, u64, Option<SystemTime>);

impl Found {
    fn of(meta: &Metadata) -> Self {
        Self(meta.dev(), meta.ino(), meta.created().ok())
    }
}

impl Watcher {
    pub(super) fn new(inbox: &Path, hints: Nudge) -> Self {
        Self { inbox: inbox.to_owned(), hints, watched: None, device: None, warned: false }
    }

    /// Watch the folder that the inbox's name leads to now: it may have been unmounted, replaced, mounted again.
    pub(super) fn keep_up(&mut self) {
        let found = std::fs::metadata(&self.inbox).ok().map(|meta| Found::of(&meta));
        if found.is_some() && found == self.watched.as_ref().map(|(found, _)| *found) {
            return;
        }
        // of what is gone nothing is heard, though another folder may get its number
        self.watched = None;
        let Some(found) = found else { return };
        if self.device.replace(found.0).is_some_and(|before| before != found.0) {
            tracing::warn!(
                "the inbox lies on another file system than before, as where a share was unmounted or mounted: what is there now is taken"
            );
        }
        match self.watch() {
            Ok(watcher) => self.watched = Some((found, watcher)),
            Err(error) if !self.warned => {
                self.warned = true;
                tracing::warn!("no events from the inbox: {}; it is searched on the timer alone", reason(&error));
            }
            Err(_) => {}
        }
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let hints = self.hints.clone();
        let hint = move |event: notify::Result<notify::Event>| {
            // An error is an overflow or a lost folder: all the more reason to look.
            if event.map_or(true, |event| event.need_rescan() || tells_of_news(event.kind)) {
                hints.give();
            }
        };
        // the inbox itself may be a link; those in it are left alone, as by the scan: one may lead to all that there is
        let inbox = self.inbox.canonicalize()?;
        let mut watcher = RecommendedWatcher::new(hint, Config::default().with_follow_symlinks(false))?;
        // One subfolder that may not be entered must not cost the events of all others.
        if let Err(error) = watcher.watch(&inbox, RecursiveMode::Recursive) {
            tracing::warn!("not every folder in the inbox gives events: {}; the timer finds the rest", reason(&error));
            watcher.watch(&inbox, RecursiveMode::NonRecursive)?;
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
