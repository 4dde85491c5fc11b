//! A start that was refused is told at once: there is no daemon that could do it later, and perhaps no ledger.
//!
//! Whoever starts the service again and again is the queue. A file in the state folder says when it was last told, so
//! that it is told once in a while only.

use super::alert::times;
use super::letter::{Letter, message_id};
use super::post::{self, PostError};
use crate::config::MailSettings;
use crate::ledger::MailContent;
use crate::state::replace;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Below the state folder: by the kind of reason, what was told.
const FILE: &str = "refused-starts.json";

/// When refusals of a kind were last told, and how many were not since.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    untold: u32,
}

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub enum RefusalError {
    /// Without the file there would be a mail for every start.
    #[error("nobody is told by mail that the start was refused, since {FILE} cannot be written: {0}")]
    File(#[from] std::io::Error),
    /// The server's word.
    #[error("nobody is told by mail that the start was refused: {0}")]
    Post(#[from] PostError),
}

/// Tell why a start was refused, if one of that kind was not told lately: the server's answer. The kind is one stable word.
pub fn tell(
    settings: &MailSettings,
    root: &Path,
    host: &str,
    (kind, reason): (&str, &str),
    now: Timestamp,
) -> Result<Option<String>, RefusalError> {
    let file = root.join(FILE);
    let all = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut all: BTreeMap<String, Told> = all.unwrap_or_default();
    let before = all.get(kind).copied().unwrap_or(Told { at: Timestamp::UNIX_EPOCH, untold: 0 });
    let mut write = |told: Told| {
        all.insert(kind.to_owned(), told);
        replace(&file, &serde_json::to_vec(&all).map_err(std::io::Error::other)?)
    };
    let untold = Told { untold: before.untold.saturating_add(1), ..before };
    let is_early = before.at.checked_add(settings.alerts.again_after).is_ok_and(|next| before.at <= now && now < next);
    if is_early {
        write(untold)?;
        return Ok(None);
    }
    // first the file: if it could not be written afterwards, every start would send a mail
    write(Told { at: now, untold: 0 })?;
    let sent = letter(settings, host, reason, before.untold, now).and_then(|letter| post::send(settings, &letter));
    if sent.is_err() {
        write(untold)?;
    }
    Ok(Some(sent?))
}

fn letter(settings: &MailSettings, host: &str, reason: &str, untold: u32, now: Timestamp) -> Result<Letter, PostError> {
    let mut text = format!(
        "kellgrend could not start, or not go on, and grades nothing:\n\n{reason}\n\n`kellgrend check` says more. Films \
         wait in the inbox meanwhile; nothing is lost."
    );
    if untold > 0 {
        text += &format!("\n\nSince the last mail about this it was refused {} more.", times(untold));
    }
    let content = MailContent {
        message_id: message_id(&settings.from, host, "start", now),
        subject: format!("kellgrend on {host}: it does not run"),
        text,
        html: None,
        pictures: Vec::new(),
    };
    Letter::new(settings, &content, now).map_err(PostError::from)
}
