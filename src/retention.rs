//! What is kept for a time, and then no longer: originals, results, rows. Off unless the settings say so.
//!
//! What is on a disk goes first and is noted then, so that whatever is interrupted is only done again.

mod clock;

pub use clock::Clock;

use crate::config::RetentionSettings;
use crate::grading::folder_name;
use crate::ledger::{Ledger, LedgerError, Overdue, Overdues, Store, timestamp};
use crate::outbox::publish::withdraw;
use crate::state::{State, make_folder, sync_folder};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many are removed before it is noted; small, so that the ledger is never held for long.
const BATCH: usize = 200;

/// An empty folder that stays where anything was removed: by it a store is told from the place where its share is away.
const MARK: &str = ".kellgrend";

/// What has been kept in a store for its time.
#[derive(Clone, Debug)]
pub struct Due {
    /// The store.
    pub store: Store,
    /// How long things are kept in it.
    pub kept: Duration,
    /// How many have been kept so long.
    pub count: u64,
    /// How large they are.
    pub bytes: u64,
    /// Since when the oldest has been there.
    pub oldest: Option<String>,
}

/// What was removed from a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many.
    pub count: u64,
    /// How large they were.
    pub bytes: u64,
    /// How many could not be removed; they are tried again.
    pub failed: u64,
}

/// The stores that keep things for a time only, and that time.
pub fn stores(settings: &RetentionSettings) -> impl Iterator<Item = (Store, Duration)> + use<> {
    let RetentionSettings { archive, outbox, quarantine, ledger, .. } = *settings;
    let kept = move |store| match store {
        Store::Archive => archive,
        Store::Outbox => outbox,
        Store::Quarantine => quarantine,
        Store::Ledger => ledger,
    };
    Store::ALL.into_iter().map(move |store| (store, kept(store))).filter(|(_, kept)| !kept.is_zero())
}

/// What would be removed now. Changes nothing.
pub fn due(ledger: &Path, settings: &RetentionSettings, now: Timestamp) -> Result<Vec<Due>, LedgerError> {
    let look = |(store, kept)| {
        let overdues = Overdues::of(ledger, store, before(now, kept), settings.spare_labelled)?;
        let (count, bytes, oldest) = overdues.sum()?;
        Ok(Due { store, kept, count, bytes, oldest })
    };
    stores(settings).map(look).collect()
}

/// Removes what has been kept in a store for its time.
pub fn remove(
    state: &State,
    ledger: &Ledger,
    settings: &RetentionSettings,
    (store, kept): (Store, Duration),
    now: Timestamp,
) -> Result<Removed, LedgerError> {
    let all = || Overdues::of(&state.ledger, store, before(now, kept), settings.spare_labelled);
    let mut overdues = all()?;
    let mut removed = Removed::default();
    loop {
        let batch = overdues.next(BATCH)?;
        if batch.is_empty() {
            return Ok(removed);
        }
        if let Some(folder) = folder(state, store) {
            let mark = folder.join(MARK);
            if !mark.is_dir() && !is_any_there(state, store, all()?)? {
                tracing::warn!(
                    store = store.as_str(),
                    "nothing is removed, and nothing noted as removed: nothing of what is due is in {}, as where a share is away. If it \
                     was taken from there for good, an empty folder {MARK} in it says so",
                    folder.display()
                );
                return Ok(Removed { failed: overdues.sum()?.0, ..removed });
            }
            // what is emptied from here on is known by it
            let _made = make_folder(&mark);
        }
        let (mut ids, mut folders) = (Vec::new(), BTreeSet::new());
        for overdue in batch {
            match take_away(state, store, &overdue) {
                Ok(from) => {
                    folders.extend(from.iter().filter_map(|path| path.parent().map(Path::to_owned)));
                    ids.push(overdue.id);
                    // what its owner has taken elsewhere is noted, too
                    if store == Store::Ledger || !from.is_empty() {
                        removed.count += 1;
                        removed.bytes += overdue.bytes;
                    }
                }
                Err(error) => {
                    let sha256 = overdue.digest.short();
                    tracing::warn!(
                        sha256,
                        store = store.as_str(),
                        "it has been kept for its time and cannot be removed: {error}"
                    );
                    removed.failed += 1;
                }
            }
        }
        // gone for good before the ledger says so; a share that syncs no folders does what it can
        folders.iter().for_each(|folder| drop(sync_folder(folder)));
        ledger.removed(store, ids)?;
    }
}

/// Where a store lies; rows in the ledger, which is open.
fn folder(state: &State, store: Store) -> Option<&Path> {
    match store {
        Store::Archive => Some(&state.archive),
        Store::Outbox => Some(&state.outbox),
        Store::Quarantine => Some(&state.quarantine),
        Store::Ledger => None,
    }
}

/// Whether anything of what is due can be seen where it is kept.
fn is_any_there(state: &State, store: Store, mut overdues: Overdues) -> Result<bool, LedgerError> {
    loop {
        let batch = overdues.next(BATCH)?;
        if batch.is_empty() || batch.iter().any(|overdue| is_there(state, store, overdue)) {
            return Ok(!batch.is_empty());
        }
    }
}

/// Whether it can be seen where it is kept, which it cannot where a share is not mounted.
fn is_there(state: &State, store: Store, overdue: &Overdue) -> bool {
    let Overdue { digest, release, .. } = overdue;
    match store {
        Store::Archive => matches!(state.archived(digest), Ok(Some(_))),
        Store::Quarantine => {
            matches!(state.quarantined(digest), Ok(Some(_))) || state.quarantine_reason(&digest.to_string()).exists()
        }
        Store::Outbox => release.as_ref().is_some_and(|name| state.outbox.join(folder_name(digest, name)).is_dir()),
        Store::Ledger => true,
    }
}

/// What was kept from then on has been kept for its time.
fn before(now: Timestamp, kept: Duration) -> String {
    let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
    timestamp(now.checked_sub(kept).unwrap_or(Timestamp::MIN))
}

/// Takes it from its folder, and says what was removed there; nothing where somebody else has removed it.
fn take_away(state: &State, store: Store, overdue: &Overdue) -> io::Result<Vec<PathBuf>> {
    let digest = &overdue.digest;
    let gone: Vec<PathBuf> = match store {
        Store::Archive => state.archived(digest)?.into_iter().collect(),
        Store::Quarantine => {
            let reason = state.quarantine_reason(&digest.to_string());
            let original = state.quarantined(digest)?;
            original.into_iter().chain(reason.try_exists()?.then_some(reason)).collect()
        }
        Store::Outbox => {
            let name = overdue.release.as_ref().map(|release| folder_name(digest, release));
            let folder = name.map(|name| withdraw(&state.outbox, &name)).transpose()?;
            return Ok(folder.flatten().into_iter().collect());
        }
        Store::Ledger => return Ok(Vec::new()),
    };
    gone.iter().try_for_each(std::fs::remove_file)?;
    Ok(gone)
}
