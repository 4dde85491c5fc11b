//! Labels in a file of comma-separated values.

use super::{radiograph, read_at};
use crate::grade::KlGrade;
use crate::ledger::LabelRow;
use crate::side::Side;
use std::path::Path;

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
        "line 1: {0}; the columns are file, sha256 or instance_uid, then grade, and where they are known side, reader, date \
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

/// Reads a list, all of it or nothing. Files that it names are looked for below `folder`; a line without a reader takes `reader`.
pub fn read(bytes: &[u8], folder: &Path, reader: Option<&str>) -> Result<Vec<LabelRow>, ListError> {
    // spreadsheets begin UTF-8 with a mark, and some write semicolons
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let delimiter = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
    let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
    let columns = Columns::find(csv.headers().map_err(|error| no_csv(&error))?)?;
    let mut labels = Vec::new();
    for record in csv.records() {
        let record = record.map_err(|error| no_csv(&error))?;
        labels.push(columns.label(&record, folder, reader)?);
    }
    if labels.is_empty() { Err(ListError::Empty) } else { Ok(labels) }
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, ListError> {
        let known = ["file", "sha256", "instance_uid", "grade", "side", "reader", "date", "settles"];
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
        if let Some(at) = names.iter().position(|name| !known.contains(name)) {
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

    fn label(&self, record: &csv::StringRecord, folder: &Path, reader: Option<&str>) -> Result<LabelRow, ListError> {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |column| move |what: String| ListError::Value { line, column, what };
        let value = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|value| !value.is_empty());
        let told = |&(column, at): &(&'static str, usize)| Some((column, value(Some(at))?));
        let (column, named) = self
            .names
            .iter()
            .find_map(told)
            .ok_or_else(|| wrong(self.names[0].0)("nothing says which radiograph".to_owned()))?;
        let grade = value(Some(self.grade)).and_then(grade);
        let reader = value(self.reader).or(reader).map(str::to_owned);
        Ok(LabelRow {
            radiograph: radiograph(named, folder).map_err(wrong(column))?,
            side: value(self.side)
                .map_or(Some(Side::Unknown), side)
                .ok_or_else(|| wrong("side")("no side (left, right, or nothing for the only knee)".to_owned()))?,
            grade: grade.ok_or_else(|| wrong("grade")("no Kellgren-Lawrence grade (0 to 4)".to_owned()))?,
            reader: reader
                .ok_or_else(|| wrong("reader")("nobody is named: add a column reader, or use --reader".to_owned()))?,
            read_at: value(self.date).map(read_at).transpose().map_err(wrong("date"))?,
            settles: match value(self.settles) {
                None | Some("0" | "no" | "false") => false,
                Some("1" | "yes" | "true") => true,
                Some(_) => return Err(wrong("settles")("neither 0 nor 1".to_owned())),
            },
        })
    }
}

/// `3`, `KL3`, `KL 3`.
fn grade(word: &str) -> Option<KlGrade> {
    let word = word.to_ascii_lowercase();
    let digit = word.strip_prefix("kl").unwrap_or(&word).trim();
    digit.parse::<u8>().ok().and_then(|digit| KlGrade::try_from(digit).ok())
}

/// `left`, `L`; `right`, `R`; `unknown`.
fn side(word: &str) -> Option<Side> {
    match word.to_ascii_lowercase().as_str() {
        "l" => Some(Side::Left),
        "r" => Some(Side::Right),
        word => word.parse().ok(),
    }
}

fn no_csv(error: &csv::Error) -> ListError {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not in UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => "it has more or fewer values than there are columns",
        _ => "it cannot be read",
    };
    ListError::Csv { line, what }
}
