//! `kellgrend labels`

use super::table::Style;
use super::{Exit, Failure, Global, usage};
use crate::card::words::counted;
use crate::digest::Digest;
use crate::grade::KlGrade;
use crate::labels::{by_digest, by_file, by_uid, grade, read, read_at, reader, side};
use crate::ledger::{Added, EXPORT, LabelRow, Labelled, Ledger, Window, now};
use crate::side::Side;
use crate::state::State;
use std::path::{Path, PathBuf};

/// Take in what readers say of knees, and give it out
///
/// Labels are kept with their reader and time, and never overwritten: a reader's later word stands, the earlier one stays on
/// record. Knees whose readers, or one list itself, contradict each other are in `kellgrend report label_conflicts`, what lacks a
/// grade or a label in `report label_gaps`, how far ensemble and readers agree in `report agreement`.
#[derive(Debug, clap::Args)]
pub(super) struct Labels {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Import(Import),
    Add(Add),
    Export(Export),
}

/// Take in lists of comma-separated values
///
/// The first line names the columns: one of file, sha256 or instance_uid (DICOM SOP Instance UID) says which radiograph,
/// grade what the reader says; side (left, right), reader, date (2026-01-31 or RFC 3339) and settles (1: this word stands for
/// all readers of the knee) may follow, and comment. Radiographs may come later than their labels. A list is taken in whole or, if
/// something in it is wrong, not at all; the same list twice changes nothing.
///
/// Two grades that one reader gives a knee at one time, in one list, contradict each other. Without a date, a grade that
/// the reader gave the knee before is on record already: whoever may come back to an earlier grade had better give dates.
#[derive(Debug, clap::Args)]
struct Import {
    /// The lists
    #[arg(required = true, value_name = "FILE.csv")]
    lists: Vec<PathBuf>,
    /// Who read the knees of lines that name nobody
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Where the files are that a list names; default: where the list is
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Take in one reader's grade of one knee
#[derive(Debug, clap::Args)]
struct Add {
    /// A file, the SHA-256 of its bytes (of what is on record, the first eight digits will do), or a DICOM SOP Instance UID
    #[arg(value_name = "RADIOGRAPH")]
    radiograph: String,
    /// The grade, 0 to 4
    #[arg(long, value_name = "KL", value_parser = grade)]
    grade: KlGrade,
    /// Who says so
    #[arg(long, value_name = "NAME", value_parser = reader)]
    reader: String,
    /// Which knee, of a film that shows two: left or right
    #[arg(long, value_name = "SIDE", default_value = "unknown", value_parser = side)]
    side: Side,
    /// When it was read: 2026-01-31 or RFC 3339; default: now
    #[arg(long, value_name = "DATE", value_parser = read_at)]
    date: Option<String>,
    /// It ends a contradiction: it stands for all readers of this knee
    #[arg(long)]
    settle: bool,
}

/// Print all labels, in a form that `labels import` takes
///
/// Of two grades that one reader gave a knee on one date, a list does not say which came later: taken in elsewhere, they contradict
/// each other. `kellgrend backup` moves a whole ledger.
#[derive(Debug, clap::Args)]
struct Export {
    /// How to print them
    #[arg(long, value_enum, default_value = "csv", value_name = "STYLE")]
    format: Style,
}

impl Labels {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        match self.action {
            Action::Import(import) => import.execute(&state),
            Action::Add(add) => add.execute(&state),
            Action::Export(export) => {
                let labels = EXPORT.open(&state.ledger, Window::default(), None)?;
                super::export::export(&labels, export.format, None)?;
                Ok(Exit::Done)
            }
        }
    }
}

impl Import {
    fn execute(self, state: &State) -> Result<Exit, Failure> {
        let mut refused = false;
        let ledger = ledger(state)?;
        let before = ledger.labels_without_knee().map_err(anyhow::Error::from)?;
        for list in &self.lists {
            let shown = list.display();
            let bytes = match std::fs::read(list) {
                Ok(bytes) => bytes,
                Err(error) => {
                    refused = true;
                    eprintln!("{shown}: {error}");
                    continue;
                }
            };
            let folder = self.root.as_deref().or(list.parent()).unwrap_or(Path::new("."));
            match read(&bytes, Some(folder), self.reader.as_deref()) {
                Ok(labels) => {
                    let Added { new, known } =
                        ledger.add_labels(labels, Digest::of(&bytes).to_string()).map_err(anyhow::Error::from)?;
                    let labels = if new == 1 { "label" } else { "labels" };
                    println!("{shown}: {new} new {labels}, {known} on record already");
                }
                Err(error) => {
                    refused = true;
                    eprintln!("{shown}: {error}; nothing of it was taken in");
                }
            }
        }
        say_strays(&ledger, before)?;
        Ok(if refused { Exit::Refused } else { Exit::Done })
    }
}

/// A side that was mistaken is taken in, since it may be the film that comes later; whoever said it is to know.
fn say_strays(ledger: &Ledger, before: usize) -> Result<(), Failure> {
    let strays = ledger.labels_without_knee().map_err(anyhow::Error::from)?.saturating_sub(before);
    if strays > 0 {
        let (knees, show) = (counted(strays as u64, "labelled knee"), "`kellgrend report label_gaps` shows which");
        eprintln!("{knees} of these cannot be found on the radiograph as it was graded; {show}");
    }
    Ok(())
}

impl Add {
    fn execute(self, state: &State) -> Result<Exit, Failure> {
        let named = &self.radiograph;
        let radiograph = by_digest(named).or_else(|_| by_uid(named)).or_else(|_| by_file(Path::new(named)));
        let radiograph = match radiograph {
            Ok(radiograph) => radiograph,
            Err(what) => beginning(state, named)?.ok_or_else(|| {
                let known = "no SHA-256, whole or the first digits of one on record";
                usage(anyhow::anyhow!("the radiograph is {known}, no UID and {what}"))
            })?,
        };
        let date = self.date.or_else(|| Some(now()));
        let Self { grade, reader, side, settle, .. } = self;
        let label = LabelRow { radiograph, side, grade, reader, read_at: date, settles: settle };
        let ledger = ledger(state)?;
        let before = ledger.labels_without_knee().map_err(anyhow::Error::from)?;
        let added = ledger.add_labels(vec![label], "command line".to_owned()).map_err(anyhow::Error::from)?;
        println!("{}", if added.new == 1 { "taken in" } else { "on record already" });
        say_strays(&ledger, before)?;
        Ok(Exit::Done)
    }
}

/// The radiograph on record whose SHA-256 begins so, as tables and log lines show it.
fn beginning(state: &State, digits: &str) -> Result<Option<Labelled>, Failure> {
    if digits.len() < FEWEST_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let found = ledger(state)?.radiographs_beginning(digits.to_ascii_lowercase()).map_err(anyhow::Error::from)?;
    match found[..] {
        [] => Ok(None),
        [radiograph] => Ok(Some(Labelled::Digest(radiograph))),
        _ => Err(usage(anyhow::anyhow!("several radiographs have a SHA-256 that begins with {digits}"))),
    }
}

/// Fewer are soon shared by two.
const FEWEST_DIGITS: usize = 8;

fn ledger(state: &State) -> Result<Ledger, Failure> {
    Global::create(state)?;
    Ok(Ledger::open(&state.ledger)?)
}
