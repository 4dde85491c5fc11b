//! Ledger and folders held against each other: nothing lost, nothing torn, nothing graded twice.

mod originals;
mod strays;

pub use originals::{decayed, originals};

use crate::digest::Digest;
use crate::grading::folder_name;
use crate::ledger::LedgerError;
use crate::ledger::audit::{Ended, Judged, each_file, each_picture, judge};
use crate::outbox::record::ResultRecord;
use crate::state::State;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

/// What was found.
#[derive(Debug, Default)]
pub struct Audit {
    /// The laws of the rows, and what breaks them.
    pub rows: Vec<Judged>,
    /// Files that the ledger knows, duplicates and withdrawn ones aside.
    pub files: usize,
    /// Of these, how many are in work: the running daemon or the next start goes on with them.
    pub in_work: usize,
    /// Results in the outbox that are whole.
    pub whole: usize,
    /// What ought to be somewhere and is not. Users may remove results and originals; a crash must not.
    pub gone: Vec<String>,
    /// Results that are not whole, and results and originals that nobody knows.
    pub wrong: Vec<String>,
}

impl Audit {
    /// Whether nothing is broken; what is gone may have been removed by its owner.
    pub fn is_sound(&self) -> bool {
        self.wrong.is_empty() && self.rows.iter().all(|judged| judged.broken_by.is_empty())
    }
}

/// Looks at everything and changes nothing. What moves while it looks may be called gone: stop the daemon first.
pub fn audit(state: &State) -> Result<Audit, LedgerError> {
    let mut found = Audit { rows: judge(&state.ledger)?, ..Audit::default() };
    let mut results = HashSet::new();
    each_file(&state.ledger, |file| {
        found.files += 1;
        found.file(state, &file);
        let of = |release: &String| OsString::from(folder_name(&file.digest, release));
        results.extend(file.release.as_ref().map(of));
    })?;
    found.wrong.extend(strays::strays(state)?);
    let mut torn = HashSet::new();
    each_picture(&state.ledger, |picture| {
        let path = state.outbox.join(&picture.path);
        let Some(folder) = path.parent().filter(|folder| folder.exists()) else { return };
        let is_there = std::fs::read(&path).is_ok_and(|bytes| Digest::of(&bytes) == picture.digest);
        if !is_there && torn.insert(folder.to_owned()) {
            found.wrong.push(format!("{}: {} is not what was published", folder.display(), picture.path));
        }
    })?;
    for name in names(&state.outbox) {
        let folder = state.outbox.join(&name);
        match (results.contains(&name), record(&folder)) {
            (true, Some(_)) if !torn.contains(&folder) => found.whole += 1,
            (true, Some(_)) => {}
            (true, None) => found.wrong.push(format!("{}: its result.json is missing or torn", folder.display())),
            // published, and the daemon was killed before it could say so: the next start finds it there
            (false, Some(record)) if state.in_work(&record.file.sha256).exists() => {}
            (false, _) => found.wrong.push(format!("{}: the ledger knows of no such result", folder.display())),
        }
    }
    Ok(found)
}

impl Audit {
    fn file(&mut self, state: &State, file: &Ended) {
        let Ended { digest, bytes, state: at, is_ours, release } = file;
        let in_work = state.in_work(digest).exists();
        self.in_work += usize::from(in_work);
        if let Some(release) = release.as_ref().filter(|_| at == "published") {
            let folder = state.outbox.join(folder_name(digest, release));
            if !folder.exists() {
                self.gone.push(format!("{}: the result", folder.display()));
            }
        }
        let kept = match at.as_str() {
            _ if in_work || !is_ours => true,
            // the row comes before the move: it is in the inbox still, and the next start takes it anew
            "claimed" => strays::is_in_inbox(state, digest, *bytes),
            "published" => matches!(state.archived(digest), Ok(Some(_))),
            // `retry` has put it back, and it is taken once more
            "quarantined" => {
                matches!(state.quarantined(digest), Ok(Some(_))) || strays::is_in_inbox(state, digest, *bytes)
            }
            _ => false,
        };
        if !kept {
            self.gone.push(format!("{digest}: the original of a file that is {at}"));
        }
    }
}

fn record(folder: &Path) -> Option<ResultRecord> {
    serde_json::from_slice(&std::fs::read(folder.join("result.json")).ok()?).ok()
}

/// What lies in the outbox, but for what is still being written.
fn names(folder: &Path) -> Vec<OsString> {
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name());
    entries.filter(|name| !name.as_encoded_bytes().starts_with(b".")).collect()
}
