//! A start that was refused, or a daemon that ended by itself, is told at once: there is no daemon that could do it later, and
//! perhaps no ledger.
//!
//! Whoever starts the service again and again is the queue. A file in the state folder says when it was last told, so
//! that it is told once in a while only. The next start that succeeds takes from there what was told, for the record, and
//! what no server has taken, to be sent.

mod kept;

use super::alert::times;
use super::letter::{Letter, message_id};
use super::post::{self, PostError};
use super::with_option;
use crate::config::MailSettings;
use crate::ledger::{Ledger, LedgerError, MailContent, MailRow};
use jiff::Timestamp;
use kept::{FILE, Mail, Told};
use std::io;
use std::path::Path;

/// The words for a device that is lost, and for a fault that ended the process.
const DEVICE: &str = "device";
const ABORT: &str = "abort";
/// The word for a state folder that another process has.
pub const BUSY: &str = "busy";

/// Why nobody was told, or nothing noted of it.
#[derive(Debug, thiserror::Error)]
pub enum RefusalError {
    /// Without the file there would be a mail for every start.
    #[error("nobody is told of it by mail, since {FILE} cannot be written: {0}")]
    File(#[source] io::Error),
    /// The server's word.
    #[error("nobody is told of it by mail: {0}")]
    Post(#[from] PostError),
    /// They are noted by the next start, then.
    #[error("mails about starts that were refused are not yet on record: {0}")]
    Ledger(#[from] LedgerError),
    /// They are noted again by the next start, which changes nothing.
    #[error("mails about starts that were refused are on record, and stay in {FILE}, which cannot be written: {0}")]
    Stays(#[source] io::Error),
}

/// Tell why a start was refused, if one of that kind was not told lately: the server's answer. The kind is one stable word.
pub fn tell(
    settings: &MailSettings,
    root: &Path,
    host: &str,
    (kind, reason): (&str, &str),
    now: Timestamp,
) -> Result<Option<String>, RefusalError> {
    let mut all = kept::read(root);
    let before = all.remove(kind).unwrap_or_else(Told::nothing);
    let mut note = |told: Told| {
        all.insert(kind.to_owned(), told);
        kept::write(root, &all).map_err(RefusalError::File)
    };
    let untold = before.untold.saturating_add(1);
    if is_early(&before, settings, now) {
        note(Told { untold, ..before })?;
        return Ok(None);
    }
    let content = content(settings, (root, host), (kind, reason), before.untold, now);
    let mails = |is_sent| {
        let MailContent { message_id, subject, text, .. } = content.clone();
        kept::with(&before.mails, Mail { at: now, message_id, subject, text, is_sent })
    };
    // first the file: if it could not be written afterwards, every start would send a mail
    note(Told { at: now, untold: 0, mails: mails(false) })?;
    let letter = Letter::new(settings, &content, now).map_err(PostError::from);
    match letter.and_then(|letter| post::send(settings, &letter)) {
        Ok(post::Accepted { answer, refused }) => {
            refused.iter().for_each(|reader| tracing::warn!("it was not sent to {reader}"));
            note(Told { at: now, untold: 0, mails: mails(true) })?;
            Ok(Some(answer))
        }
        Err(error) => {
            note(Told { at: before.at, untold, mails: mails(false) })?;
            Err(error.into())
        }
    }
}

/// Notes that a fault ended the last start, if that was not told lately: this one, which goes on, puts it on record and sends it.
pub fn aborted(settings: &MailSettings, root: &Path, host: &str, now: Timestamp) -> Result<(), RefusalError> {
    let mut all = kept::read(root);
    let mut told = all.remove(ABORT).unwrap_or_else(Told::nothing);
    if is_early(&told, settings, now) {
        told.untold = told.untold.saturating_add(1);
    } else {
        let MailContent { message_id, subject, text, .. } =
            content(settings, (root, host), (ABORT, ""), told.untold, now);
        told.mails = kept::with(&told.mails, Mail { at: now, message_id, subject, text, is_sent: false });
    }
    all.insert(ABORT.to_owned(), told);
    kept::write(root, &all).map_err(RefusalError::File)
}

fn is_early(before: &Told, settings: &MailSettings, now: Timestamp) -> bool {
    before.at.checked_add(settings.alerts.again_after).is_ok_and(|next| before.at <= now && now < next)
}

/// Puts on record what was told while nothing ran; what was not taken by a server waits there, to be sent.
pub fn on_record(root: &Path, ledger: &Ledger) -> Result<(), RefusalError> {
    let mut all = kept::read(root);
    if all.values().all(|told| told.mails.is_empty()) {
        return Ok(());
    }
    for (kind, told) in &mut all {
        // what keeps a start from starting has many names, and is one kind of mail
        let word = if kind == DEVICE { DEVICE } else { "start" };
        for Mail { at, message_id, subject, text, is_sent } in std::mem::take(&mut told.mails) {
            let content = MailContent { message_id, subject, text, html: None, pictures: Vec::new() };
            ledger.past_mail(MailRow { kind: word, key: format!("{kind}:{at:.3}"), content }, at, is_sent)?;
            if !is_sent {
                // the row tells it, and what that could not be told of before
                (told.at, told.untold) = (at, 0);
            }
        }
    }
    kept::write(root, &all).map_err(RefusalError::Stays)
}

fn content(
    settings: &MailSettings,
    (root, host): (&Path, &str),
    (kind, reason): (&str, &str),
    untold: u32,
    now: Timestamp,
) -> MailContent {
    let (subject, mut text) = match kind {
        DEVICE => (
            "the device is lost",
            format!(
                "kellgrend has ended by itself, so that it is started anew:\n\n{reason}\n\nThe service comes back after ten \
                 seconds. If this mail comes again, or one that says that the GPU is gone, the device does not come back \
                 so: `nvidia-smi` and the kernel's log (`journalctl -k`) say more, and the machine may have to be started \
                 anew. Films wait in inbox and work meanwhile; nothing is lost."
            ),
        ),
        ABORT => (
            "it went down, and runs again",
            "A fault has ended kellgrend, and it was started anew. What it was grading is graded alone now, and is put aside if that \
             takes the process down again (`kellgrend report refused`). Nothing is lost. If this mail comes again and again, \
             `journalctl -u kellgrend` says more; please report it."
                .to_owned(),
        ),
        BUSY => (
            "another process has its state folder",
            format!(
                "The service could not start, since another process has the state folder:\n\n{reason}\n\nIf that is the service \
                 itself, it grades, and somebody has started it twice; if it is another command, films wait in the inbox until that \
                 has ended. Nothing is lost."
            ),
        ),
        _ => (
            "it does not run",
            format!(
                "kellgrend could not start, or not go on, and grades nothing:\n\n{reason}\n\n`kellgrend check` says more. \
                 Films wait in the inbox meanwhile; nothing is lost."
            ),
        ),
    };
    if untold > 0 {
        text += &format!("\n\nSince the last mail about this it has happened {} more.", times(untold));
    }
    MailContent {
        message_id: message_id(&settings.from, host, kind, now),
        subject: format!("kellgrend on {host}: {subject}"),
        text: with_option(text, root),
        html: None,
        pictures: Vec::new(),
    }
}
