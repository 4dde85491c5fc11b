//! What was told of starts that were refused: a file, since there may be no ledger.

use crate::state::replace;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Of each kind so many mails are kept for the record.
const MOST: usize = 100;

/// Below the state folder: by the kind of reason, what was told.
pub(super) const FILE: &str = "refused-starts.json";

/// When refusals of a kind were last told, and how many were not since.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) untold: u32,
    /// What was told, until it is on record, the oldest first.
    #[serde(default)]
    pub(super) mails: Vec<Mail>,
}

impl Told {
    /// Nothing was, so far.
    pub(super) fn nothing() -> Self {
        Self { at: Timestamp::UNIX_EPOCH, untold: 0, mails: Vec::new() }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Mail {
    pub(super) at: Timestamp,
    pub(super) message_id: String,
    pub(super) subject: String,
    pub(super) text: String,
    /// Whether a server has taken it.
    pub(super) is_sent: bool,
}

/// Nothing where there is none, or where it is damaged.
pub(super) fn read(root: &Path) -> BTreeMap<String, Told> {
    let all = std::fs::read(root.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    all.unwrap_or_default()
}

/// One mail more. What no server has taken it tells, too, and takes the place of.
pub(super) fn with(mails: &[Mail], mail: Mail) -> Vec<Mail> {
    let mut mails: Vec<_> = mails.iter().filter(|mail| mail.is_sent).cloned().chain([mail]).collect();
    mails.drain(..mails.len().saturating_sub(MOST));
    mails
}

pub(super) fn write(root: &Path, all: &BTreeMap<String, Told>) -> io::Result<()> {
    replace(&root.join(FILE), &serde_json::to_vec(all).map_err(io::Error::other)?)
}
