//! What `kellgrend grade` says of a file: the fields of `--json` are a public contract.

use crate::cli::export::{harmless_text, of_output};
use crate::digest::Digest;
use crate::grade::{KlGrade, Probabilities, Vote};
use crate::ledger::{OTHER_SIDE, Recorded};
use crate::side::Side;
use serde::Serialize;
use std::fmt;
use std::io::{self, Stdout, Write as _, stdout};
use std::path::Path;

/// One line a knee; one line for a file that was refused.
pub(super) struct Answer {
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    file: String,
    sha256: Option<Digest>,
    status: Status,
    reason: Option<String>,
    side: Option<Side>,
    grade: Option<KlGrade>,
    probabilities: Option<Probabilities>,
    agreement: Option<f32>,
    entropy: Option<f32>,
    needs_review: Option<bool>,
    votes: Vec<Vote>,
    missing: Vec<String>,
    release: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Graded,
    Duplicate,
    Quarantined,
}

impl Answer {
    pub(super) fn graded(path: &Path, digest: Digest, knees: Recorded, release: &str) -> Self {
        Self::of_knees(path, digest, knees, release, Status::Graded, None)
    }

    /// `side_by_name` is what the file's name says now.
    pub(super) fn duplicate(path: &Path, digest: Digest, knees: Recorded, release: &str, side_by_name: Side) -> Self {
        let is_of_other_side = side_by_name != Side::Unknown && knees.iter().all(|knee| knee.knee.side != side_by_name);
        let reason =
            if is_of_other_side { OTHER_SIDE } else { "the ledger has these bytes, graded by the same release" };
        Self::of_knees(path, digest, knees, release, Status::Duplicate, Some(reason))
    }

    pub(super) fn refused(path: &Path, digest: Digest, code: &str, reason: String) -> Self {
        Self::refusal(path, Some(digest), format!("{code}: {reason}"))
    }

    pub(super) fn changed(path: &Path, digest: Digest) -> Self {
        Self::refusal(path, Some(digest), "changed: the file changed while it was read; grade it again".into())
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::refusal(path, None, format!("unreadable: the file cannot be read: {error}"))
    }

    fn refusal(path: &Path, sha256: Option<Digest>, reason: String) -> Self {
        Self {
            lines: vec![Line {
                file: path.to_string_lossy().into_owned(),
                sha256,
                status: Status::Quarantined,
                reason: Some(reason),
                side: None,
                grade: None,
                probabilities: None,
                agreement: None,
                entropy: None,
                needs_review: None,
                votes: Vec::new(),
                missing: Vec::new(),
                release: None,
            }],
        }
    }

    fn of_knees(
        path: &Path,
        digest: Digest,
        knees: Recorded,
        release: &str,
        status: Status,
        reason: Option<&str>,
    ) -> Self {
        let lines = knees.into_iter().map(|recorded| Line {
            file: path.to_string_lossy().into_owned(),
            sha256: Some(digest),
            status,
            reason: reason.map(str::to_owned),
            side: Some(recorded.knee.side),
            grade: Some(recorded.knee.grade),
            probabilities: Some(recorded.knee.probabilities),
            agreement: Some(recorded.knee.agreement),
            entropy: Some(recorded.knee.entropy),
            needs_review: recorded.knee.needs_review,
            votes: recorded.knee.votes,
            missing: recorded.knee.missing,
            release: Some(release.to_owned()),
        });
        Self { lines: lines.collect() }
    }
}

/// Prints answers in the form that was asked for.
pub(super) enum Printer {
    Text(Stdout),
    Json(Stdout),
    Csv(Box<csv::Writer<Stdout>>),
}

impl Printer {
    pub(super) fn new(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Self::Json(stdout()),
            (_, true) => Self::Csv(Box::new(csv::WriterBuilder::new().has_headers(false).from_writer(stdout()))),
            _ => Self::Text(stdout()),
        }
    }

    /// What comes before all answers: with CSV the names of the columns.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        let Self::Csv(out) = self else { return Ok(()) };
        let mut any = csv::Writer::from_writer(Vec::new());
        for line in Answer::refusal(Path::new(""), None, String::new()).lines {
            any.serialize(CsvLine::from(&line))?;
        }
        let any = any.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(out.write_record(csv::Reader::from_reader(&any[..]).headers()?).map_err(of_output)?)
    }

    pub(super) fn print(&mut self, answer: &Answer) -> anyhow::Result<()> {
        for line in &answer.lines {
            match self {
                Self::Text(out) => writeln!(out, "{line}")?,
                Self::Json(out) => {
                    // A line at a time and whole: a reader at the other end of a pipe can follow.
                    let mut text = serde_json::to_vec(line)?;
                    text.push(b'\n');
                    out.write_all(&text)?;
                }
                Self::Csv(out) => {
                    out.serialize(CsvLine::from(line)).map_err(of_output)?;
                    out.flush()?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Text(out) | Self::Json(out) => out.flush(),
            Self::Csv(out) => out.flush(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.replace(char::is_control, "?"); // a line a knee, whatever files are called
        match (self.grade, self.side, &self.probabilities) {
            (Some(grade), Some(side), Some(probabilities)) => {
                let percent = 100.0 * probabilities.0[grade.index()];
                let meaning = grade.meaning();
                write!(f, "KL {grade}  {meaning:<17} {percent:>3.0} %  {side:<7}  {file}")?;
                if self.status == Status::Duplicate {
                    let is_of_other_side = self.reason.as_deref() == Some(OTHER_SIDE);
                    write!(f, "  (graded before{})", if is_of_other_side { ", with this side" } else { "" })?;
                }
                if self.needs_review == Some(true) {
                    write!(f, "  (look at it)")?;
                }
                if self.missing.is_empty() { Ok(()) } else { write!(f, "  (without {})", self.missing.join(", ")) }
            }
            _ => {
                let reason = self.reason.as_deref().unwrap_or_default().replace(char::is_control, "?");
                write!(f, "refused  {file}  {reason}")
            }
        }
    }
}

/// The same fields, flat; new ones come last, for readers that count columns.
#[derive(Serialize)]
struct CsvLine<'a> {
    file: String,
    sha256: Option<Digest>,
    status: Status,
    reason: Option<&'a str>,
    side: Option<Side>,
    grade: Option<KlGrade>,
    p0: Option<f32>,
    p1: Option<f32>,
    p2: Option<f32>,
    p3: Option<f32>,
    p4: Option<f32>,
    agreement: Option<f32>,
    /// `member:grade`, separated by semicolons.
    votes: String,
    release: Option<&'a str>,
    entropy: Option<f32>,
    /// Names, separated by semicolons.
    missing: String,
    needs_review: Option<bool>,
}

impl<'a> From<&'a Line> for CsvLine<'a> {
    fn from(line: &'a Line) -> Self {
        let p = |grade: usize| line.probabilities.map(|probabilities| probabilities.0[grade]);
        let votes: Vec<_> = line.votes.iter().map(|vote| format!("{}:{}", vote.member, vote.grade)).collect();
        Self {
            file: harmless_text(line.file.clone()),
            sha256: line.sha256,
            status: line.status,
            reason: line.reason.as_deref(),
            side: line.side,
            grade: line.grade,
            p0: p(0),
            p1: p(1),
            p2: p(2),
            p3: p(3),
            p4: p(4),
            agreement: line.agreement,
            votes: votes.join(";"),
            release: line.release.as_deref(),
            entropy: line.entropy,
            missing: line.missing.join(";"),
            needs_review: line.needs_review,
        }
    }
}

/// How many of each.
#[derive(Debug, Default)]
pub(super) struct Tally {
    graded: usize,
    known: usize,
    knees: usize,
    /// Files that could not be graded.
    pub(super) refused: usize,
    /// Whether a signal ended the run before its last file.
    pub(super) interrupted: bool,
    /// Whether nobody reads the answers any more.
    pub(super) unheard: bool,
}

impl Tally {
    pub(super) fn count(&mut self, answer: &Answer) {
        match answer.lines.first().map(|line| line.status) {
            Some(Status::Graded) => {
                self.graded += 1;
                self.knees += answer.lines.len();
            }
            Some(Status::Duplicate) => self.known += 1,
            Some(Status::Quarantined) | None => self.refused += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let (graded, knees) = (self.graded, self.knees);
        write!(f, "{graded} radiograph{} graded ({knees} knee{}), ", s(graded), s(knees))?;
        write!(f, "{} graded before, {} refused", self.known, self.refused)
    }
}
