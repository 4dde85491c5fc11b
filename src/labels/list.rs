//! Labels in a file of comma-separated values.

use super::{by_digest, by_file, by_instance_uid, grade, read_at, reader, side};
use crate::ledger::{LabelRow, Labelled};
use crate::side::Side;
use std::path::Path;

/// More columns than any list has; names of millions would fill the memory.
const MOST_COLUMNS: usize = 100;

/// The columns that name a radiograph, the surest first. One of them must be there, and have a value in every line.
const NAMES: [&str; 3] = ["sha256", "instance_uid", "file"];

/// Why a list cannot be taken. None of its texts quotes the list, which may name patients.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It is no table.
    #[error("line {line}: it is no comma-separated values: {what}")]
    Csv {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A column is needed or not known.
    #[error(
        "the header: {0}; the columns are file, sha256 or instance_uid, then grade, and where they are known side, reader, date \
         and settles"
    )]
    Columns(String),
    /// A value is wrong.
    #[error("line {line}, column {column}: {what}")]
    Value {
        /// Counted from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What is wrong.
        what: String,
    },
    /// There is nothing in it.
    #[error("there is no label in it")]
    Empty,
}

/// Where in a line each column is.
struct Columns {
    names: Vec<(&'static str, usize)>,
    grade: usize,
    side: Option<usize>,
    reader: Option<usize>,
    date: Option<usize>,
    settles: Option<usize>,
}

/// Reads a list, all of it or nothing. Files that it names are looked for below `files`; without that it may name none. A
/// line without a reader takes `of`.
pub fn read(bytes: &[u8], files: Option<&Path>, of: Option<&str>) -> Result<Vec<LabelRow>, ListError> {
    // spreadsheets begin UTF-8 with a mark, some write semicolons or tabs, and some a line that says so
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let is_end = |byte: &u8| [b'\r', b'\n'].contains(byte);
    let skipped = match bytes.starts_with(b"sep=") {
        true => bytes.iter().position(is_end).map_or(0, |at| at + 1),
        false => 0,
    };
    let table = &bytes[skipped..];
    let first = table.split(is_end).find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let delimiter = b",;\t".iter().copied().max_by_key(|&mark| first.iter().filter(|&&byte| byte == mark).count());
    let mut csv = csv::ReaderBuilder::new();
    let mut csv = csv.delimiter(delimiter.unwrap_or(b',')).trim(csv::Trim::All).from_reader(table);
    // the library counts a record's line from the end of the one before
    let line_at = |byte: u64| {
        let start = usize::try_from(byte).unwrap_or(usize::MAX).min(table.len()) + skipped;
        let blank = bytes[start..].iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        // some end lines with a return alone
        let before = &bytes[..start + blank];
        let ends = |(at, byte): &(usize, &u8)| **byte == b'\n' || **byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        1 + before.iter().enumerate().filter(ends).count() as u64
    };
    let no_csv = |error: &csv::Error| ListError::Csv {
        line: error.position().map_or(1, |position| line_at(position.byte())),
        what: match error.kind() {
            csv::ErrorKind::Utf8 { .. } => "it is not in UTF-8 (save it as \"CSV UTF-8\")",
            csv::ErrorKind::UnequalLengths { .. } => "it has more or fewer values than there are columns",
            _ => "it cannot be read",
        },
    };
    let columns = Columns::find(csv.headers().map_err(|error| no_csv(&error))?)?;
    let mut labels = Vec::new();
    for record in csv.records() {
        let record = record.map_err(|error| no_csv(&error))?;
        if record.iter().any(|value| !value.is_empty()) {
            let label = columns.label(&record, files, of).map_err(|(column, what)| {
                // lines are counted for an error alone: for each of many labels it would take hours
                let line = record.position().map_or(0, |position| line_at(position.byte()));
                ListError::Value { line, column, what }
            });
            labels.push(label?);
        }
    }
    if labels.is_empty() { Err(ListError::Empty) } else { Ok(labels) }
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, ListError> {
        if header.len() > MOST_COLUMNS {
            return Err(ListError::Columns(format!("there are {} columns", header.len())));
        }
        let known = ["file", "sha256", "instance_uid", "grade", "side", "reader", "date", "settles"];
        let passed_over = ["", "comment", "comments", "note", "notes", "remark", "remarks"];
        let names: Vec<String> = header.iter().map(|name| name.to_ascii_lowercase().replace(' ', "_")).collect();
        let names: Vec<&str> = names
            .iter()
            .map(|name| match name.as_str() {
                "sop_instance_uid" | "sopinstanceuid" => "instance_uid",
                "kl" | "kl_grade" => "grade",
                "read_at" => "date",
                other => other,
            })
            .collect();
        if let Some(at) = names.iter().position(|name| !known.contains(name) && !passed_over.contains(name)) {
            return Err(ListError::Columns(format!("column {} is not known", at + 1)));
        }
        if let Some(twice) = known.iter().find(|name| names.iter().filter(|other| other == name).count() > 1) {
            return Err(ListError::Columns(format!("there are two columns {twice}")));
        }
        let at = |wanted: &str| names.iter().position(|name| *name == wanted);
        let names: Vec<_> = NAMES.into_iter().filter_map(|name| Some((name, at(name)?))).collect();
        if names.is_empty() {
            return Err(ListError::Columns("no column says which radiograph".to_owned()));
        }
        let grade = at("grade").ok_or_else(|| ListError::Columns("there is no column grade".to_owned()))?;
        Ok(Self { names, grade, side: at("side"), reader: at("reader"), date: at("date"), settles: at("settles") })
    }

    /// The label in a line; the error is the column and what is wrong with its value.
    fn label(
        &self,
        record: &csv::StringRecord,
        files: Option<&Path>,
        of: Option<&str>,
    ) -> Result<LabelRow, (&'static str, String)> {
        let wrong = |column| move |what: String| (column, what);
        let value = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|value| !value.is_empty());
        let told = |&(column, at): &(&'static str, usize)| Some((column, value(Some(at))?));
        let nothing = || (self.names[0].0, "nothing says which radiograph".to_owned());
        let (column, named) = self.names.iter().find_map(told).ok_or_else(nothing)?;
        let settles = value(self.settles).unwrap_or("0").to_ascii_lowercase();
        Ok(LabelRow {
            radiograph: radiograph(column, named, files).map_err(wrong(column))?,
            side: value(self.side).map_or(Ok(Side::Unknown), side).map_err(wrong("side"))?,
            grade: grade(value(Some(self.grade)).unwrap_or_default()).map_err(wrong("grade"))?,
            reader: reader(value(self.reader).or(of).unwrap_or_default()).map_err(wrong("reader"))?,
            read_at: value(self.date).map(read_at).transpose().map_err(wrong("date"))?,
            settles: match settles.as_str() {
                "0" | "no" | "false" => false,
                "1" | "yes" | "true" => true,
                _ => return Err(("settles", "neither 0 nor 1".to_owned())),
            },
        })
    }
}

fn radiograph(column: &str, named: &str, files: Option<&Path>) -> Result<Labelled, String> {
    match (column, files) {
        ("sha256", _) => by_digest(named),
        ("instance_uid", _) => by_instance_uid(named),
        (_, Some(folder)) => by_file(&folder.join(named)).map_err(|what| {
            format!("{what}; paths are read from the list's folder on, or from that which --root names")
        }),
        (_, None) => Err("here a radiograph is named by sha256 or instance_uid, not by a file".to_owned()),
    }
}
