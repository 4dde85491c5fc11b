//! Ledgers as a clinic fills them, as large as asked for, the same from the same seed.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kellgrend::digest::Digest;
use kellgrend::grade::{GRADES, Probabilities, Vote};
use kellgrend::ledger::{Ledger, timestamp};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, ToSql, params};
use std::path::Path;

/// How many days it has been at work.
pub const DAYS: f64 = 730.0;
/// The networks of its releases.
const MEMBERS: [&str; 8] = [
    "densenet161",
    "efficientnet_b5",
    "efficientnet_v2_s",
    "regnet_y_8gf",
    "resnet101",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "shufflenet_v2_x2_0",
];
/// Its releases. All but the first have a threshold for doubt.
const RELEASES: [&str; 3] = ["paper", "ours", "again"];
/// Which of them was put into service after which part of the time: the third one was gone back from.
const SERVICE: [(f64, usize); 4] = [(0.0, 0), (0.6, 1), (0.955, 2), (0.957, 1)];
/// The runs of training: when each was begun, and what came of it.
const RUNS: [(&str, f64, &str); 3] =
    [("first", 0.4, "failed"), ("ours", 0.58, "promoted"), ("again", 0.94, "promoted")];
/// What was refused is kept for so many seconds.
const KEPT: f64 = 30.0 * 86_400.0;
/// Why it refuses files.
const REFUSALS: [(&str, &str); 2] =
    [("truncated", "the file ends before its picture does"), ("not-a-knee", "the file says that it shows no knee")];

/// A clinic. Each third film shows both knees and each patient comes three times; of a hundred files two are refused and one
/// has come before, of a hundred knees four are read by somebody.
pub struct Clinic {
    /// How many knees it has graded, to two or three.
    pub knees: i64,
    /// When its [`DAYS`] end.
    pub until: Timestamp,
    /// Where its chance comes from.
    pub seed: u64,
}

impl Clinic {
    /// Makes its ledger at a path where nothing is.
    pub fn fill(&self, path: &Path) -> rusqlite::Result<()> {
        drop(Ledger::open(path).expect("an empty ledger"));
        let mut db = Connection::open(path)?;
        // a power cut would only mean to begin again
        db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA foreign_keys = ON;")?;
        let transaction = db.transaction()?;
        let mut rows = Rows { db: &transaction, chance: ChaCha8Rng::seed_from_u64(self.seed), file: 0, radiograph: 0 };
        rows.beginnings(&|part| self.at(part))?;
        let films = self.knees * 3 / 4;
        for film in 0..films {
            let part = film as f64 / films as f64;
            rows.film(film, part, self.at(part), films / 3)?;
        }
        // the last one is being worked on
        rows.arrives(&[("claimed", 3.1)], self.at(1.0), None, None)?;
        transaction.commit()?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let today = self.until.to_zoned(TimeZone::UTC).date();
        Ledger::open(path).and_then(|ledger| ledger.judge_drift(today)).expect("what the daemon does once a day");
        Ok(())
    }

    /// The time after a part of all of it.
    fn at(&self, part: f64) -> Timestamp {
        later(self.until, (part - 1.0) * DAYS * 86_400.0)
    }
}

/// What writes them.
struct Rows<'a> {
    db: &'a Connection,
    chance: ChaCha8Rng,
    file: i64,
    radiograph: i64,
}

impl Rows<'_> {
    fn insert(&self, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute(values).map(drop)
    }

    /// Starts, releases, and how the second one was trained.
    fn beginnings(&self, at: &dyn Fn(f64) -> Timestamp) -> rusqlite::Result<()> {
        for (i, name) in RELEASES.into_iter().enumerate() {
            let (part, _) = SERVICE.into_iter().find(|(_, release)| *release == i).expect("each was in service");
            let since = timestamp(at(part));
            let start = "INSERT INTO starts VALUES (?1, '0.1.0', 'run', 'CPU, 8 threads, bf16', '', ?2, ?3, NULL)";
            self.insert(start, params![i as i64 + 1, sha256(""), since])?;
            let release = "INSERT INTO releases VALUES (?1, ?2, 'mix', 8, '', ?3)";
            self.insert(release, params![sha256(name), name, since])?;
        }
        for (part, release) in SERVICE {
            let service =
                "INSERT INTO service (release, since, who, why) VALUES (?1, ?2, 'the clinic', 'a better one')";
            self.insert(service, params![sha256(RELEASES[release]), timestamp(at(part))])?;
        }
        for (name, part, outcome) in RUNS {
            let run = "INSERT INTO training_runs VALUES (?1, ?2, 'schedule', 'labels', 9000, 1000, 40, '', 1, ?3, ?4, ?1, 'so')";
            self.insert(run, params![name, timestamp(at(part)), timestamp(at(part + 0.01)), outcome])?;
            for (network, fold) in MEMBERS.iter().flat_map(|network| (1..=5).map(move |fold| (network, fold))) {
                let (state, epochs) = if outcome == "failed" { ("failed", 2) } else { ("fitted", 12) };
                let fit = "INSERT INTO training_fits VALUES (?1, ?2, ?3, ?4, ?4, ?5, NULL)";
                self.insert(fit, params![name, network, fold, timestamp(at(part)), state])?;
                for epoch in 1..=epochs {
                    let sql =
                        "INSERT INTO training_epochs VALUES (?1, ?2, ?3, ?4, ?5, 60.5, 0.001, ?6, ?7, 0.7, 0.8, 1)";
                    let loss = 0.7 + 0.5 / f64::from(epoch);
                    let ended = timestamp(later(at(part), f64::from(epoch) * 60.5));
                    self.insert(sql, params![name, network, fold, epoch, ended, loss - 0.1, loss])?;
                }
            }
        }
        self.mails(at)
    }

    /// What people were told: a digest each tenth of the time, and an alert that still waits.
    fn mails(&self, at: &dyn Fn(f64) -> Timestamp) -> rusqlite::Result<()> {
        let mail = "INSERT INTO mails (created_at, kind, key, message_id, subject, text, attempts, next_attempt_at, last_error, sent_at) \
                    VALUES (?1, ?2, ?3, ?3, ?2, '', ?4, ?1, ?5, ?6)";
        for tenth in 1..10 {
            let (written, sent) =
                (timestamp(at(f64::from(tenth) / 10.0)), timestamp(at(f64::from(tenth) / 10.0 + 0.001)));
            self.insert(mail, params![written, "digest", format!("digest {tenth}"), 1, None::<&str>, sent])?;
        }
        self.insert(mail, params![timestamp(at(1.0)), "disk", "disk", 3, "the server is down", None::<&str>])
    }

    /// A film is graded, and others of its day are refused or have come before.
    fn film(&mut self, film: i64, part: f64, at: Timestamp, patients: i64) -> rusqlite::Result<()> {
        let (_, release) = *SERVICE.iter().rfind(|(since, _)| *since <= part).expect("one since the beginning");
        let name = RELEASES[release];
        let graded = self.chance.random_range(3.5..12.0);
        let ended = [("claimed", 3.1), ("decoded", 3.4), ("graded", graded), ("published", graded + 0.4)];
        let radiograph = self.arrives(&ended, at, Some(&sha256(name)), None)?;
        // a film of each patient in each third of the time
        let patient = (film % patients).wrapping_mul(7919) % patients;
        let sides = if film % 3 == 0 { &["right", "left"][..] } else { &["left"][..] };
        self.insert(
            "UPDATE radiographs SET format = 'DICOM', coding = 'JPEG Baseline (Process 1)', width = 2336, height = 2836, \
             modality = 'DX', body_part = 'KNEE', view = 'AP', study_uid = ?2, series_uid = ?3, instance_uid = ?4, \
             study_date = ?5, spacing_row_mm = 0.139, spacing_col_mm = 0.139, identity = 'pseudonym', patient = ?6 WHERE id = ?1",
            params![radiograph, uid(film, 1), uid(film, 2), uid(film, 3), date(at), &sha256(&patient.to_string())[..32]],
        )?;
        for (position, side) in sides.iter().enumerate() {
            let knee = radiograph * 2 + position as i64;
            self.insert("INSERT INTO knees VALUES (?1, ?2, ?3, ?4)", params![knee, radiograph, position as i64, side])?;
            let severity =
                f64::from(((patient * 37 + i64::from(*side == "left")) % 45) as u8) / 10.0 + part * 0.8 - 0.6;
            self.grade(knee, release, severity, side, later(at, graded))?;
            if self.chance.random_bool(0.04) {
                self.labels(radiograph, knee, side, severity, later(at, 86_400.0))?;
            }
        }
        if self.chance.random_bool(0.02) {
            let why = REFUSALS[self.chance.random_range(0..REFUSALS.len())];
            self.arrives(&[("claimed", 3.1), ("quarantined", 3.4)], at, None, Some(why))?;
            let removal = "INSERT INTO removals VALUES (?1, 'original', ?2)";
            self.insert(removal, params![self.file, timestamp(later(at, KEPT))])?;
        }
        if self.chance.random_bool(0.01) {
            self.comes(radiograph, &[("duplicate", 3.1)], at, None, Some(("duplicate", "its bytes have come before")))?;
        }
        Ok(())
    }

    /// A radiograph that has not come before.
    fn arrives(
        &mut self,
        states: &[(&str, f64)],
        at: Timestamp,
        release: Option<&str>,
        why: Option<(&str, &str)>,
    ) -> rusqlite::Result<i64> {
        self.radiograph += 1;
        let sha256 = sha256(&format!("radiograph {}", self.radiograph));
        let sql = "INSERT INTO radiographs (id, sha256, bytes) VALUES (?1, ?2, 1234567)";
        self.insert(sql, params![self.radiograph, sha256])?;
        self.comes(self.radiograph, states, at, release, why)?;
        Ok(self.radiograph)
    }

    /// A file comes and goes through these states, each so many seconds after it was seen.
    fn comes(
        &mut self,
        radiograph: i64,
        states: &[(&str, f64)],
        at: Timestamp,
        release: Option<&str>,
        why: Option<(&str, &str)>,
    ) -> rusqlite::Result<()> {
        self.file += 1;
        let (last, _) = states.last().expect("a state");
        let (code, reason) = why.unzip();
        let file = "INSERT INTO files VALUES (?1, ?2, 1, 'inbox', NULL, 'unknown', ?3, ?4, ?5, ?6, 0, NULL)";
        self.insert(file, params![self.file, radiograph, last, release, code, reason])?;
        for (state, after) in [("seen", 0.0), ("settled", 3.0)].iter().chain(states) {
            let state_at = "INSERT INTO file_states (file, state, at) VALUES (?1, ?2, ?3)";
            self.insert(state_at, params![self.file, state, timestamp(later(at, *after))])?;
        }
        Ok(())
    }

    /// What eight networks say of a knee, each a little otherwise.
    fn grade(&mut self, knee: i64, release: usize, severity: f64, side: &str, at: Timestamp) -> rusqlite::Result<()> {
        let votes = MEMBERS.map(|member| {
            let seen = severity + self.chance.random_range(-0.6..0.6);
            let logits: [f32; GRADES] = std::array::from_fn(|grade| -1.5 * (grade as f64 - seen).powi(2) as f32);
            let probabilities = Probabilities::softmax(logits, 1.0);
            Vote { member: member.to_owned(), grade: probabilities.argmax(), probabilities }
        });
        let mean = Probabilities::mean(votes.iter().map(|vote| &vote.probabilities));
        let grade = mean.argmax();
        let agreement = votes.iter().filter(|vote| vote.grade == grade).count() as f64 / votes.len() as f64;
        let p = mean.0;
        let doubtful = (release > 0).then_some(p[grade.index()] < 0.55);
        let (name, start) = (RELEASES[release], release as i64 + 1);
        self.insert(
            "INSERT INTO grades (id, knee, release, start, grade, p0, p1, p2, p3, p4, agreement, graded_at, entropy, \
             needs_review) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                knee,
                sha256(name),
                start,
                u8::from(grade),
                p[0],
                p[1],
                p[2],
                p[3],
                p[4],
                agreement,
                timestamp(at),
                mean.entropy(),
                doubtful
            ],
        )?;
        for (position, Vote { member, grade, probabilities: Probabilities(p) }) in votes.iter().enumerate() {
            let vote = "INSERT INTO votes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let position = position as i64;
            self.insert(vote, params![knee, position, member, u8::from(*grade), p[0], p[1], p[2], p[3], p[4]])?;
        }
        for kind in ["map", "overlay"] {
            let digest = Digest::of(format!("{kind} {knee}").as_bytes());
            let path = format!("{}-{name}/knee-{side}-{kind}.png", &digest.to_string()[..16]);
            let picture = "INSERT INTO pictures (grade_id, kind, path, sha256, bytes) VALUES (?1, ?2, ?3, ?4, 345678)";
            self.insert(picture, params![knee, kind, path, digest.bytes()])?;
        }
        Ok(())
    }

    /// What one reader says of a knee or, of each eighth one, two.
    fn labels(&mut self, radiograph: i64, knee: i64, side: &str, severity: f64, at: Timestamp) -> rusqlite::Result<()> {
        let sha256 = sha256(&format!("radiograph {radiograph}"));
        let readers = if self.chance.random_bool(0.125) { &["Dr. A", "Dr. B"][..] } else { &["Dr. A"][..] };
        for reader in readers {
            let grade = (severity + self.chance.random_range(-0.8..0.8)).round().clamp(0.0, 4.0) as i64;
            let label = "INSERT INTO labels (sha256, side, grade, reader, read_at, settles, origin, added_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5, 0, 'command line', ?6)";
            self.insert(label, params![sha256, side, grade, reader, date(at), timestamp(at)])?;
        }
        // and of a film that has not come
        if knee % 50 == 0 {
            let label = "INSERT INTO labels (instance_uid, side, grade, reader, settles, origin, added_at) \
                         VALUES (?1, ?2, 2, 'Dr. A', 0, 'command line', ?3)";
            self.insert(label, params![uid(knee, 4), side, timestamp(at)])?;
        }
        Ok(())
    }
}

fn later(than: Timestamp, seconds: f64) -> Timestamp {
    than + SignedDuration::from_secs_f64(seconds)
}

fn date(at: Timestamp) -> String {
    timestamp(at)[..10].to_owned()
}

fn sha256(of: &str) -> String {
    Digest::of(of.as_bytes()).to_string()
}

/// A UID as long as most are.
fn uid(number: i64, kind: u8) -> String {
    format!("1.2.826.0.1.3680043.8.498.{:020}.{kind}", 10_000_000_000_i64 + number)
}
