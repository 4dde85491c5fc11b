//! `kellgrend report`

use super::export::export;
use super::table::{Style, aligned};
use super::{Exit, Failure, Global, usage};
use crate::ledger::{REPORTS, Report as View, Table, Window};
use crate::state::replace_with;
use anyhow::Context as _;
use clap::ValueEnum as _;
use jiff::civil::Date;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};

/// A table stops here unless told otherwise.
const SHORT: usize = 50;

/// Print a view of the ledger: grades, votes, daily, weeks, drift, refused, releases, labels, agreement and more
///
/// Without a name, the reports are listed. They are SQL views of the same name with `report_` before it, so that any tool
/// with SQLite 3.37 or later can ask for more: sqlite3 ledger.db 'SELECT side, count(*) FROM report_grades GROUP BY side'
///
/// drift tells whether grades, entropy, agreement and refusals of the last four weeks differ from the first eight weeks in
/// which the release in service graded here, and from the twelve weeks before them, by more than chance (p_adjusted below 0.01)
/// and by how much (size). The daemon finds it out once a day, as soon as the release has graded for eight weeks.
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The report
    name: Option<String>,
    /// How to print it; default: as the ending of --output says, else as a table
    #[arg(long, value_enum, value_name = "STYLE")]
    format: Option<Style>,
    /// Into a file, which appears whole or not at all; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// From this day on, UTC: 2026-01-31; a week counts by its Monday, a month by its first day
    #[arg(long, value_name = "DATE", value_parser = day)]
    since: Option<Date>,
    /// Before this day, UTC
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<Date>,
    /// All columns of a table, however wide; the other styles have them always
    #[arg(long)]
    wide: bool,
    /// At most this many rows (a table stops at 50 unless told otherwise; the other styles are whole)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

fn day(word: &str) -> Result<Date, String> {
    word.parse().map_err(|_| "a day such as 2026-01-31 is meant".to_owned())
}

impl Report {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        let style = self.style()?;
        let Some(name) = self.name.as_deref().map(|name| name.trim_start_matches("report_")) else {
            let rows = REPORTS.iter().map(|report| [report.name.to_owned(), report.about.to_owned()]);
            writeln!(stdout().lock(), "{}", aligned(&["NAME", "SHOWS"], rows))?;
            return Ok(Exit::Done);
        };
        let report = REPORTS.iter().find(|report| report.name == name).ok_or_else(|| {
            let names: Vec<_> = REPORTS.iter().map(|report| report.name).collect();
            usage(anyhow::anyhow!("there is no report {name:?}; there are {}", names.join(", ")))
        })?;
        let window = Window { since: self.since, until: self.until };
        if matches!(style, Style::Table) {
            let (table, is_all) = self.short(report, window, &state.ledger)?;
            let exit = self.print(table, report.narrow)?;
            if !is_all {
                eprintln!("... the first {SHORT} rows; --limit N or --format csv shows more");
            }
            return Ok(exit);
        }
        export(&report.open(&state.ledger, window, self.limit)?, style, self.output.as_deref())?;
        Ok(Exit::Done)
    }

    fn style(&self) -> Result<Style, Failure> {
        let ending = self.output.as_ref().map(|path| path.extension().unwrap_or_default().to_string_lossy());
        match (self.format, ending) {
            (Some(style), _) => Ok(style),
            (None, None) => Ok(Style::Table),
            (None, Some(ending)) => Style::from_str(&ending, true).map_err(|_| {
                usage(anyhow::anyhow!("--output ends in neither .csv, .json nor .parquet; say which with --format"))
            }),
        }
    }

    /// The first rows, and whether these are all.
    fn short(&self, report: &View, window: Window, ledger: &Path) -> Result<(Table, bool), Failure> {
        let limit = self.limit.unwrap_or(SHORT as u64 + 1);
        let mut table = report.read(ledger, window, Some(limit))?;
        let is_all = self.limit.is_some() || table.rows.len() <= SHORT;
        if !is_all {
            table.rows.truncate(SHORT);
        }
        Ok((table, is_all))
    }

    fn print(&self, mut table: Table, narrow: &[&str]) -> Result<Exit, Failure> {
        if table.rows.is_empty() {
            let within =
                if self.since.is_some() || self.until.is_some() { "nothing in that time" } else { "nothing yet" };
            match &self.output {
                // what was there before is not what was found now
                Some(path) => replace_with(path, 0o666, |file| writeln!(file, "{within}"))
                    .with_context(|| format!("{} cannot be written", path.display()))?,
                None => writeln!(stdout().lock(), "{within}")?,
            }
            return Ok(Exit::Done);
        }
        if !self.wide {
            table.keep_columns(narrow);
        }
        export(&table, Style::Table, self.output.as_deref())?;
        Ok(Exit::Done)
    }
}
