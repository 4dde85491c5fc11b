//! The mail room at work: writes what is due, sends what waits, one look after another.

use super::alert::{Disk, Kind, Training};
use super::digest::Digest;
use super::due::{Due, Facts, Last, due, standing};
use super::letter::{Letter, message_id};
use super::{post, with_option};
use crate::config::MailSettings;
use crate::drift::{Against, Drift};
use crate::ledger::{Figures, Ledger, LedgerError, MailContent, MailDue, MailFacts, MailRow, Said};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// After a failed attempt a mail is tried again, after pauses that double.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LAST_PAUSE: Duration = Duration::from_secs(3600);

/// So long after its start a daemon is not idle for what was before.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

/// What the daemon sees of itself and no row tells.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// Where folders are, one a disk.
    pub disks: Vec<Disk>,
    /// Since when the inbox cannot be read.
    pub inbox_unread_since: Option<Timestamp>,
    /// The GPU that graded before, where the CPU does now.
    pub gpu_before: Option<String>,
    /// Since when no radiograph gets through the networks.
    pub networks_fail_since: Option<Timestamp>,
    /// Since when radiographs do not come to their end, for other reasons than the networks.
    pub results_wait_since: Option<Timestamp>,
    /// When lists of labels were refused, as far as they lie there still.
    pub refused_lists: Vec<Timestamp>,
}

/// What keeps mails from being written; what is due stays due.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The ledger's word.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A digest cannot be read from it.
    #[error("the digest cannot be counted: {0}")]
    Figures(#[from] rusqlite::Error),
    /// The schedule's word.
    #[error("[mail] digest and time_zone: {0}")]
    Schedule(String),
}

/// Writes and sends.
pub struct Office {
    settings: MailSettings,
    schedule: Option<Schedule>,
    zone: TimeZone,
    ledger: Ledger,
    /// The ledger's file, for what takes long to count.
    path: PathBuf,
    host: String,
    started: Timestamp,
    /// What was the matter at the last look.
    before: BTreeSet<Kind>,
    /// A mail that a server has taken and that the ledger could not be told of, as on a full disk.
    taken: Option<i64>,
}

impl Office {
    /// Opens at a time, if mail is on; otherwise notes that it is off.
    pub fn open(
        settings: &MailSettings,
        ledger: Ledger,
        path: PathBuf,
        host: String,
        now: Timestamp,
    ) -> Result<Option<Self>, MailError> {
        let schedule = settings.schedule().map_err(MailError::Schedule)?;
        let words = schedule.as_ref().map_or(String::new(), |_| settings.schedule_in_words());
        ledger.mail_set(settings.is_on().then_some(words), now)?;
        let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
        let settings = settings.clone();
        let before = BTreeSet::new();
        let office = Self { schedule, zone, ledger, path, host, started: now, before, taken: None, settings };
        Ok(office.settings.is_on().then_some(office))
    }

    /// Writes what is due, then sends what waits, even where something could not be written. Blocks while the server is slow.
    pub fn look(&mut self, signs: &Signs, now: Timestamp) -> Result<(), MailError> {
        let known = self.ledger.mail_facts(now)?;
        let alerted = self.alert(signs, &known, now);
        let digested = self.digest(signs, &known, now);
        self.send(now).and(alerted).and(digested)
    }

    fn alert(&mut self, signs: &Signs, known: &MailFacts, now: Timestamp) -> Result<(), MailError> {
        // of a start while the clock was ahead, the first moment that was not
        self.started = self.started.min(now);
        let limits = &self.settings.alerts;
        let last = last(known);
        let facts = self.facts(signs, known, &last, now);
        let (mut mails, mut again) = (Vec::new(), Vec::new());
        for due in due(limits, &facts, &last, &self.before, now) {
            match due {
                Due::Count(kind) => again.push(kind.as_str()),
                Due::Tell { alert, missed } => {
                    let (key, subject) = (alert.key(now), alert.subject());
                    let content = self.content(&key, &subject, with_option(alert.text(missed), self.state()), now);
                    mails.push(MailRow { kind: alert.kind().as_str(), key, content });
                }
            }
        }
        if !(mails.is_empty() && again.is_empty()) {
            let written: Vec<_> = mails.iter().map(|mail| (mail.kind, mail.content.subject.clone())).collect();
            self.ledger.mails_written(mails, again, now)?;
            written.iter().for_each(|(kind, subject)| tracing::info!(kind, "a mail is due: {subject}"));
        }
        self.before = standing(limits, &facts, now).iter().map(|alert| alert.kind()).collect();
        Ok(())
    }

    fn facts(&self, signs: &Signs, known: &MailFacts, last: &BTreeMap<Kind, Last>, now: Timestamp) -> Facts {
        let Signs { disks, inbox_unread_since, gpu_before, networks_fail_since, results_wait_since, refused_lists } =
            signs.clone();
        // what lay there before anybody asked for mail is no news
        let told = last.get(&Kind::Labels).map_or(known.on_since.unwrap_or(self.started), |last| last.at);
        // a share whose clock is ahead tells of them later, and not again and again
        let is_news = |at: &&Timestamp| told < **at && **at <= now;
        let trainings = known.trainings.iter().cloned();
        // A machine that was off for long gets some time to begin; one that is started anew each night is idle all the same.
        let started = self.started;
        let is_new = now.duration_since(started) < GRACE;
        let counted = if is_new { started } else { known.on_since.unwrap_or(started).min(started) };
        Facts {
            disks,
            inbox_unread_since,
            gpu_before,
            networks_fail_since,
            results_wait_since,
            quarantined: known.quarantined.0,
            mostly: known.quarantined.1.clone(),
            last_graded: Some(known.last_graded.map_or(counted, |graded| graded.max(counted))),
            in_work: known.in_work,
            refused_lists: refused_lists.iter().filter(is_news).count(),
            trainings: trainings
                .map(|ended| Training {
                    key: ended.key,
                    run: ended.run,
                    outcome: ended.outcome,
                    reasons: ended.reasons,
                })
                .collect(),
        }
    }

    /// All that were missed are the last one, which tells what those that still wait tell, too.
    fn digest(&self, signs: &Signs, known: &MailFacts, now: Timestamp) -> Result<(), MailError> {
        let (Some(schedule), Some(digested), Some(since)) = (&self.schedule, known.digested, known.told) else {
            return Ok(());
        };
        let Some(slot) = schedule.last(digested, now) else { return Ok(()) };
        let figures = Figures::read(&Ledger::read(&self.path)?, since, slot)?;
        let digest = Digest {
            host: self.host.clone(),
            state: self.state().to_owned(),
            since,
            until: slot,
            zone: self.zone.clone(),
            figures,
            drift: self.drift(slot)?,
            disks: signs.disks.clone(),
        };
        let rendered = digest.render();
        let key = format!("digest:{slot}");
        let mut content = self.content(&key, &rendered.subject, rendered.text, now);
        (content.html, content.pictures) = (Some(rendered.html), rendered.pictures);
        self.ledger.digest_written(MailRow { kind: "digest", key, content }, since, slot, now)?;
        tracing::info!(since = %since, until = %slot, "a digest is due");
        Ok(())
    }

    /// Of the weeks before a time; empty where it is too soon to compare any.
    fn drift(&self, until: Timestamp) -> Result<Vec<(Against, Drift)>, MailError> {
        let Some(said) = Said::in_service(&self.path)? else { return Ok(Vec::new()) };
        let Some(compared) = said.compared(until.to_zoned(TimeZone::UTC).date())? else { return Ok(Vec::new()) };
        Ok(compared.against.into_iter().map(|comparison| (comparison.what, comparison.drift)).collect())
    }

    /// The folder that the ledger is in.
    fn state(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn content(&self, key: &str, subject: &str, text: String, now: Timestamp) -> MailContent {
        MailContent {
            message_id: message_id(&self.settings.from, &self.host, key, now),
            subject: format!("kellgrend on {}: {subject}", self.host),
            text,
            html: None,
            pictures: Vec::new(),
        }
    }

    /// Each that is due once; one that is refused holds up no other. None goes before it is on record that the last one went: where
    /// nothing can be written, a mail would go again at every look.
    fn send(&mut self, now: Timestamp) -> Result<(), MailError> {
        self.note_taken(now)?;
        while let Some(MailDue { id, created_at, attempts, content }) =
            self.ledger.mail_due(self.settings.at_most, now)?
        {
            let letter = Letter::new(&self.settings, &content, created_at);
            match letter.and_then(|letter| post::send(&self.settings, &letter).map_err(|error| error.to_string())) {
                Ok(post::Accepted { answer, refused }) => {
                    tracing::info!(answer, "a mail was sent");
                    refused.iter().for_each(|reader| tracing::warn!("it was not sent to {reader}"));
                    self.taken = Some(id);
                    self.note_taken(now)?;
                }
                Err(error) => {
                    let pause = FIRST_PAUSE.saturating_mul(1 << attempts.min(16)).min(LAST_PAUSE);
                    tracing::warn!("a mail waits, and is tried again in {} s: {error}", pause.as_secs());
                    self.ledger.mail_failed(id, error, now + pause)?;
                }
            }
        }
        Ok(())
    }

    fn note_taken(&mut self, now: Timestamp) -> Result<(), MailError> {
        if let Some(id) = self.taken {
            self.ledger.mail_sent(id, now)?;
            self.taken = None;
        }
        Ok(())
    }
}

/// The last alert of each kind.
fn last(known: &MailFacts) -> BTreeMap<Kind, Last> {
    let of = |kind: Kind| {
        let mail = known.last.iter().find(|mail| mail.kind == kind.as_str())?;
        Some((kind, Last { at: mail.at, is_waiting: mail.is_waiting, repeats: mail.repeats }))
    };
    Kind::LASTING.into_iter().filter_map(of).collect()
}
