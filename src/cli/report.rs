//! `kellgrend report`

use super::table::{Style, aligned};
use super::{Exit, Failure, Global, usage};
use crate::ledger::REPORTS;
use std::io::{Write as _, stdout};

/// Print a view of the ledger: grades, votes, daily, refused, releases, labels, agreement and more
///
/// Without a name, the views are listed. Each is a SQL view of the same name with `report_` before it, so that any
/// SQLite tool can ask for more: sqlite3 ledger.db 'SELECT side, count(*) FROM report_grades GROUP BY side'
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The view
    name: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    format: Style,
    /// All columns of a table, however wide; CSV and JSON have them always
    #[arg(long)]
    wide: bool,
    /// At most this many rows (a table stops at 50 unless told otherwise; CSV and JSON are whole)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

impl Report {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        let mut out = stdout().lock();
        let Some(name) = self.name else {
            let rows = REPORTS.iter().map(|report| [report.name.to_owned(), report.about.to_owned()]);
            writeln!(out, "{}", aligned(&["NAME", "SHOWS"], rows))?;
            return Ok(Exit::Done);
        };
        let report =
            REPORTS.iter().find(|report| report.name == name.trim_start_matches("report_")).ok_or_else(|| {
                let names: Vec<_> = REPORTS.iter().map(|report| report.name).collect();
                usage(anyhow::anyhow!("there is no report {name:?}; there are {}", names.join(", ")))
            })?;
        let short = matches!(self.format, Style::Table) && self.limit.is_none();
        let limit = if short { Some(51) } else { self.limit };
        let mut table = report.read(&state.ledger, limit)?;
        let more = short && table.rows.len() > 50;
        if more {
            table.rows.truncate(50);
        }
        if table.rows.is_empty() && matches!(self.format, Style::Table) {
            writeln!(out, "nothing yet")?;
            return Ok(Exit::Done);
        }
        if matches!(self.format, Style::Table) && !self.wide {
            table.keep_columns(report.narrow);
        }
        table.print(self.format, &mut out)?;
        if more {
            eprintln!("... the first 50 rows; --limit N or --format csv shows more");
        }
        Ok(Exit::Done)
    }
}
