//! Rows -> CSV, JSON or Parquet, one after another: a report may be larger than memory.

use super::table::{Style, exact};
use super::{Failure, parquet, usage};
use crate::ledger::{Reading, Table};
use crate::state::replace_with;
use anyhow::Context as _;
use serde::ser::{SerializeSeq as _, Serializer as _};
use serde_json::{Map, Value};
use std::io::{self, BufWriter, IsTerminal as _, Write, stdout};
use std::path::Path;

/// Rows that can be gone through more than once.
pub(super) trait Rows {
    /// The columns' names.
    fn columns(&self) -> &[String];
    /// Goes through the rows; the first error ends it.
    fn each(&self, act: &mut dyn FnMut(Vec<Value>) -> anyhow::Result<()>) -> anyhow::Result<()>;
}

impl Rows for Reading {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, act: &mut dyn FnMut(Vec<Value>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.each(act)
    }
}

impl Rows for Table {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, act: &mut dyn FnMut(Vec<Value>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.rows.iter().cloned().try_for_each(act)
    }
}

/// Writes rows to a file, which appears whole or not at all, or to standard output.
pub(super) fn export(rows: &impl Rows, style: Style, output: Option<&Path>) -> Result<(), Failure> {
    match output {
        Some(path) => replace_with(path, 0o666, |file| write(rows, style, BufWriter::new(file)))
            .with_context(|| format!("{} cannot be written", path.display()))?,
        None if matches!(style, Style::Parquet) && stdout().is_terminal() => {
            return Err(usage(anyhow::anyhow!("Parquet is not for a terminal; name a file with --output")));
        }
        None => write(rows, style, BufWriter::new(stdout()))?,
    }
    Ok(())
}

/// What the CSV writer wraps, as it was: that a reader has had enough is told by its kind.
pub(super) fn of_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell of CSV. What a spreadsheet would run as a formula, and no number is, gets an apostrophe before it: names of files and patients
/// come from outside. OWASP, "CSV Injection".
fn harmless(value: &Value) -> String {
    harmless_text(exact(value))
}

/// The same of a text.
pub(super) fn harmless_text(text: String) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if is_formula { format!("'{text}") } else { text }
}

fn write(rows: &impl Rows, style: Style, mut out: impl Write + Send) -> anyhow::Result<()> {
    match style {
        Style::Table => {
            let mut table = Table { columns: rows.columns().to_vec(), rows: Vec::new() };
            rows.each(&mut |row| {
                table.rows.push(row);
                Ok(())
            })?;
            writeln!(out, "{}", table.aligned())?;
        }
        Style::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            // as errors of input and output, so that a reader who has had enough is known
            csv.write_record(rows.columns()).map_err(of_output)?;
            rows.each(&mut |row| Ok(csv.write_record(row.iter().map(harmless)).map_err(of_output)?))?;
            csv.flush()?;
        }
        Style::Json => {
            let mut json = serde_json::Serializer::pretty(&mut out);
            let mut objects = json.serialize_seq(None).map_err(io::Error::from)?;
            rows.each(&mut |row| {
                let object: Map<_, _> = rows.columns().iter().cloned().zip(row).collect();
                Ok(objects.serialize_element(&object).map_err(io::Error::from)?)
            })?;
            objects.end().map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Style::Parquet => parquet::write(rows, &mut out)?,
    }
    Ok(out.flush()?)
}
