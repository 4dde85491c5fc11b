//! Mails: rows that are sent, and what is asked to see which are due.

use super::training::FAILED;
use super::{Ledger, LedgerError, timestamp};
use crate::schedule::EARLIEST;
use jiff::{Timestamp, ToSpan as _};
use rusqlite::{Connection, OptionalExtension as _, params};

/// A mail to be written.
#[derive(Clone, Debug)]
pub struct MailRow {
    /// `digest`, or what an alert is of.
    pub kind: &'static str,
    /// What it tells.
    pub key: String,
    /// What is sent.
    pub content: MailContent,
}

/// What is sent of a mail, the same at every attempt.
#[derive(Clone, Debug)]
pub struct MailContent {
    /// Its Message-ID, with the brackets.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The same as a page.
    pub html: Option<String>,
    /// Content-ID and PNG of each picture in the page.
    pub pictures: Vec<(String, Vec<u8>)>,
}

/// A mail whose turn it is.
#[derive(Clone, Debug)]
pub struct MailDue {
    /// Its id.
    pub id: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// Attempts that have failed.
    pub attempts: u32,
    /// What is sent.
    pub content: MailContent,
}

/// The last mail of a kind.
#[derive(Clone, Debug)]
pub struct LastMail {
    /// The kind's word.
    pub kind: String,
    /// When it was written.
    pub at: Timestamp,
    /// Whether it was not sent yet.
    pub is_waiting: bool,
    /// How often the same has begun again since.
    pub repeats: u32,
}

/// A training that has ended and was not told of.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct EndedTraining {
    pub key: String,
    pub run: Option<String>,
    pub outcome: String,
    pub reasons: String,
}

/// What the mail room asks the ledger.
#[derive(Clone, Debug)]
pub struct MailFacts {
    /// The last mail of each kind.
    pub last: Vec<LastMail>,
    /// Files quarantined within the last hour, and the commonest reason's word.
    pub quarantined: (usize, Option<String>),
    /// When a knee was last graded.
    pub last_graded: Option<Timestamp>,
    /// Radiographs in work.
    pub in_work: usize,
    /// Those that have ended since mail is on, and were not told of yet.
    pub trainings: Vec<EndedTraining>,
    /// Since when mail is on.
    pub on_since: Option<Timestamp>,
    /// Up to when digests were written.
    pub digested: Option<Timestamp>,
    /// Up to when they were sent, or written while none waits.
    pub told: Option<Timestamp>,
}

impl Ledger {
    /// Mail is on, with digests on this schedule (empty: none), or off. What was before mail was on, or on this schedule, is
    /// not told. What waits is tried at once: settings may have been mended.
    pub fn mail_set(&self, schedule: Option<String>, at: Timestamp) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            let now = timestamp(at);
            let Some(schedule) = schedule else {
                return db.execute("DELETE FROM mail_marks", []).map(drop);
            };
            let first = "INSERT INTO mail_marks (name, words, at) VALUES ('alerts', '', ?1) ON CONFLICT DO NOTHING";
            db.execute(first, [&now])?;
            db.execute(
                "INSERT INTO mail_marks (name, words, at) VALUES ('digest', ?1, ?2) \
                 ON CONFLICT DO UPDATE SET words = ?1, at = ?2 WHERE words <> ?1",
                params![schedule, now],
            )?;
            let waiting = "UPDATE mails SET next_attempt_at = ?1 WHERE sent_at IS NULL AND replaced_at IS NULL";
            db.execute(waiting, [&now]).map(drop)
        })
    }

    /// What there is to know at a time. Where the clock was ahead once, what was noted then is not waited for.
    pub fn mail_facts(&self, now: Timestamp) -> Result<MailFacts, LedgerError> {
        self.write_blocking(move |db| {
            if now.as_second() < EARLIEST {
                // it is the clock that is wrong, and not the marks
                return facts(db, now);
            }
            let (today, latest) = (timestamp(now), latest(now));
            db.execute("UPDATE mail_marks SET at = ?1 WHERE at > ?2", [&today, &latest])?;
            // the time that such a digest was for is still to come
            let slots = "UPDATE mails SET key = key || ':ahead:' || id \
                         WHERE kind = 'digest' AND created_at > ?1 AND key NOT LIKE '%:ahead:%'";
            db.execute(slots, [&latest])?;
            let waiting = "UPDATE mails SET next_attempt_at = ?1 \
                           WHERE sent_at IS NULL AND replaced_at IS NULL AND next_attempt_at > ?2";
            db.execute(waiting, [&today, &latest])?;
            facts(db, now)
        })
    }

    /// Mails, each to be sent once: one of a key that is on record stays as it is. `again` are kinds of which the same has
    /// begun again, to be counted into the next.
    pub fn mails_written(
        &self,
        mails: Vec<MailRow>,
        again: Vec<&'static str>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            let count = "UPDATE mails SET repeats = repeats + 1 WHERE id = \
                         (SELECT id FROM mails WHERE kind = ?1 AND created_at <= ?2 ORDER BY created_at DESC, id DESC LIMIT 1)";
            again.iter().try_for_each(|kind| db.execute(count, [*kind, &latest(at)]).map(drop))?;
            mails.iter().try_for_each(|mail| insert(db, mail, None, at))
        })
    }

    /// A mail of an earlier time, which a server may have taken already. One of its key that is on record stays as it is.
    pub fn past_mail(&self, mail: MailRow, at: Timestamp, is_sent: bool) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            insert(db, &mail, None, at)?;
            let taken = "UPDATE mails SET sent_at = created_at, attempts = 1 WHERE key = ?1 AND ?2 AND sent_at IS NULL";
            db.execute(taken, params![mail.key, is_sent]).map(drop)
        })
    }

    /// A digest of what was from `since` up to `slot`; it takes the place of one that waits, since it tells that too.
    pub fn digest_written(
        &self,
        digest: MailRow,
        since: Timestamp,
        slot: Timestamp,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            let is_told = "SELECT EXISTS (SELECT 1 FROM mails WHERE key = ?1)";
            if !db.query_row(is_told, [&digest.key], |row| row.get::<_, bool>(0))? {
                db.execute(
                    "UPDATE mails SET replaced_at = ?1 \
                     WHERE kind = 'digest' AND sent_at IS NULL AND replaced_at IS NULL",
                    [timestamp(at)],
                )?;
                db.execute(
                    "DELETE FROM mail_pictures WHERE mail IN (SELECT id FROM mails WHERE replaced_at IS NOT NULL)",
                    [],
                )?;
                insert(db, &digest, Some(since), at)?;
            }
            db.execute("UPDATE mail_marks SET at = ?1 WHERE name = 'digest'", [timestamp(slot)]).map(drop)
        })
    }

    /// The mail whose turn it is, unless as many were sent in the hour before as may be.
    pub fn mail_due(&self, at_most: u32, now: Timestamp) -> Result<Option<MailDue>, LedgerError> {
        self.write_blocking(move |db| {
            let sent = "SELECT count(*) FROM mails WHERE sent_at > ?1 AND sent_at <= ?2";
            let sent: i64 = db.query_row(sent, [timestamp(now - 1.hour()), timestamp(now)], |row| row.get(0))?;
            if sent >= i64::from(at_most) {
                return Ok(None);
            }
            let due = db
                .query_row(
                    "SELECT id, created_at, attempts, message_id, subject, text, html FROM mails \
                     WHERE sent_at IS NULL AND replaced_at IS NULL AND next_attempt_at <= ?1 \
                     ORDER BY next_attempt_at, id LIMIT 1",
                    [timestamp(now)],
                    |row| {
                        let content = MailContent {
                            message_id: row.get(3)?,
                            subject: row.get(4)?,
                            text: row.get(5)?,
                            html: row.get(6)?,
                            pictures: Vec::new(),
                        };
                        let created_at = row.get::<_, String>(1)?.parse().unwrap_or(now);
                        Ok(MailDue { id: row.get(0)?, created_at, attempts: row.get(2)?, content })
                    },
                )
                .optional()?;
            let Some(mut due) = due else { return Ok(None) };
            let mut pictures = db.prepare("SELECT name, png FROM mail_pictures WHERE mail = ?1 ORDER BY name")?;
            let pictures = pictures.query_map([due.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            due.content.pictures = pictures.collect::<Result<_, _>>()?;
            Ok(Some(due))
        })
    }

    /// A server has taken a mail; its pictures are no longer needed.
    pub fn mail_sent(&self, id: i64, at: Timestamp) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute("DELETE FROM mail_pictures WHERE mail = ?1", [id])?;
            db.execute(
                "UPDATE mails SET sent_at = ?2, attempts = attempts + 1, last_error = NULL WHERE id = ?1",
                params![id, timestamp(at)],
            )
            .map(drop)
        })
    }

    /// A mail was not taken; it is tried again.
    pub fn mail_failed(&self, id: i64, error: String, next: Timestamp) -> Result<(), LedgerError> {
        self.write_blocking(move |db| {
            db.execute(
                "UPDATE mails SET attempts = attempts + 1, last_error = ?2, next_attempt_at = ?3 WHERE id = ?1",
                params![id, error, timestamp(next)],
            )
            .map(drop)
        })
    }
}

/// What was noted later than this was noted while the clock was ahead; one that is set back by less is waited for.
fn latest(now: Timestamp) -> String {
    timestamp(now + 24.hours())
}

fn insert(db: &Connection, mail: &MailRow, since: Option<Timestamp>, at: Timestamp) -> rusqlite::Result<()> {
    let now = timestamp(at);
    let MailContent { message_id, subject, text, html, pictures } = &mail.content;
    let new = db.execute(
        "INSERT INTO mails (created_at, kind, key, message_id, subject, text, html, since, next_attempt_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1) ON CONFLICT DO NOTHING",
        params![now, mail.kind, mail.key, message_id, subject, text, html, since.map(timestamp)],
    )?;
    let id = db.last_insert_rowid();
    let mut picture = db.prepare_cached("INSERT INTO mail_pictures (mail, name, png) VALUES (?1, ?2, ?3)")?;
    match new {
        0 => Ok(()),
        _ => pictures.iter().try_for_each(|(name, png)| picture.execute(params![id, name, png]).map(drop)),
    }
}

fn facts(db: &Connection, now: Timestamp) -> rusqlite::Result<MailFacts> {
    let time = |sql: &str| {
        let told: Option<String> = db.query_row(sql, [], |row| row.get(0)).optional()?.flatten();
        Ok::<_, rusqlite::Error>(told.and_then(|told| told.parse().ok()))
    };
    let (hour, today) = (timestamp(now - 1.hour()), timestamp(now));
    let quarantined = "SELECT count(*) FROM file_states WHERE state = 'quarantined' AND at > ?1 AND at <= ?2";
    let quarantined: i64 = db.query_row(quarantined, [&hour, &today], |row| row.get(0))?;
    let mostly = "SELECT f.reason_code FROM file_states t JOIN files f ON f.id = t.file \
                  WHERE t.state = 'quarantined' AND t.at > ?1 AND t.at <= ?2 AND f.reason_code IS NOT NULL \
                  GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1";
    let in_work = "SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')";
    let last_graded = "SELECT max(graded_at) FROM grades WHERE graded_at <= ?1";
    let last_graded: Option<String> = db.query_row(last_graded, [&today], |row| row.get(0))?;
    let last_graded = last_graded.and_then(|told| told.parse().ok());
    let digested = time("SELECT at FROM mail_marks WHERE name = 'digest'")?;
    let waiting = time(
        "SELECT since FROM mails WHERE kind = 'digest' AND sent_at IS NULL AND replaced_at IS NULL \
         ORDER BY id DESC LIMIT 1",
    )?;
    Ok(MailFacts {
        last: last(db, &latest(now))?,
        quarantined: (quarantined as usize, db.query_row(mostly, [&hour, &today], |row| row.get(0)).optional()?),
        last_graded,
        in_work: db.query_row(in_work, [], |row| row.get::<_, i64>(0))? as usize,
        trainings: trainings(db)?,
        on_since: time("SELECT at FROM mail_marks WHERE name = 'alerts'")?,
        digested,
        told: waiting.or(digested).map(|told: Timestamp| told.min(now)),
    })
}

fn last(db: &Connection, latest: &str) -> rusqlite::Result<Vec<LastMail>> {
    // of the columns beside max() SQLite takes those of the row that has it
    let last = "SELECT kind, max(created_at), sent_at IS NULL, repeats FROM mails WHERE created_at <= ?1 GROUP BY kind";
    let mut query = db.prepare(last)?;
    let rows = query.query_map([latest], |row| {
        let at = row.get::<_, String>(1)?.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(LastMail { kind: row.get(0)?, at, is_waiting: row.get(2)?, repeats: row.get(3)? })
    })?;
    rows.collect()
}

/// The row of a training is what is told, so that nothing is lost between it and its mail. One that failed, was told of, and went
/// on has another end to tell of, and so another key.
fn trainings(db: &Connection) -> rusqlite::Result<Vec<EndedTraining>> {
    let sql = format!(
        "WITH ended AS ( \
             SELECT 'training:' || name || iif(release IS NULL, ':failed', '') AS key, ended_at AS at, name, outcome, \
                 coalesce(reasons, '') AS reasons \
             FROM training_runs WHERE ended_at IS NOT NULL \
             UNION ALL \
             SELECT 'training:' || slot, decided_at, NULL, 'failed', substr(decision, length('{FAILED}') + 1) \
             FROM training_slots WHERE decision LIKE '{FAILED}%') \
         SELECT key, name, outcome, reasons FROM ended \
         WHERE at > (SELECT at FROM mail_marks WHERE name = 'alerts') AND key NOT IN (SELECT key FROM mails) ORDER BY at",
    );
    let mut query = db.prepare(&sql)?;
    let rows = query.query_map([], |row| {
        Ok(EndedTraining { key: row.get(0)?, run: row.get(1)?, outcome: row.get(2)?, reasons: row.get(3)? })
    })?;
    rows.collect()
}

/// How many mails no server has taken yet.
pub fn mails_waiting(db: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM mails WHERE sent_at IS NULL AND replaced_at IS NULL";
    db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
