//! What was told of starts that were refused: a file, since there may be no ledger.

use crate::state::replace;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Below the state folder: by the kind of reason, what was told.
pub(super) const FILE: &str = "refused-starts.json";

/// When refusals of a kind were last told, and how many were not since.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) untold: u32,
    /// The last mail, until it is on record.
    #[serde(default)]
    pub(super) mail: Option<Mail>,
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

pub(super) fn write(root: &Path, all: &BTreeMap<String, Told>) -> io::Result<()> {
    replace(&root.join(FILE), &serde_json::to_vec(all).map_err(io::Error::other)?)
}
