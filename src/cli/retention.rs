//! `kellgrend retention`

use super::table::aligned;
use super::{Exit, Failure, Global, start_log};
use crate::config::LogLevel;
use crate::ledger::{Ledger, Store};
use crate::retention::{due, remove, stores};
use bytesize::ByteSize;
use jiff::Timestamp;

/// Show what has been kept for its time and would be removed, or remove it
///
/// [retention] in the settings says how long originals, results and rows are kept; nothing is removed unless it is set. Without
/// --remove nothing is changed. The daemon removes once an hour what is due, where `remove = true` is set there.
///
/// Times count from when the radiograph last arrived, was graded or was refused. What is in work is never touched. A film whose
/// original is gone is known by its rows and graded no second time; once its rows are gone, too, it is a new one.
#[derive(Debug, clap::Args)]
pub(super) struct Retention {
    /// Remove it now
    #[arg(long)]
    remove: bool,
}

impl Retention {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        start_log(global.log.unwrap_or(LogLevel::Warn));
        let settings = settings.retention;
        if !settings.is_on() {
            println!("everything is kept for ever; [retention] in the settings file says for how long otherwise");
            return Ok(Exit::Done);
        }
        let now = Timestamp::now();
        if !self.remove {
            let due = due(&state.ledger, &settings, now)?;
            let rows_follow =
                !settings.ledger.is_zero() && due.iter().any(|due| due.store != Store::Ledger && due.count > 0);
            let rows = due.into_iter().map(|due| {
                let oldest = due.oldest.map_or("-".to_owned(), |oldest| oldest[..10].to_owned());
                let days = due.kept.as_secs() / 86_400;
                let kept =
                    if days > 0 { format!("{days} days") } else { humantime::format_duration(due.kept).to_string() };
                [due.store.as_str().to_owned(), kept, due.count.to_string(), size(due.bytes), oldest]
            });
            println!("{}", aligned(&["STORE", "KEPT FOR", "DUE", "SIZE", "OLDEST"], rows));
            if rows_follow {
                println!(
                    "rows are due once their originals and results are gone: `--remove` goes on to those of what is due here"
                );
            }
            println!(
                "nothing was removed; `kellgrend retention --remove` does it, and `remove = true` in [retention] does it hourly"
            );
            return Ok(Exit::Done);
        }
        Ledger::check(&state.ledger)?;
        let ledger = Ledger::open(&state.ledger)?;
        let mut failed = 0;
        let mut rows = Vec::new();
        for (store, kept) in stores(&settings) {
            let removed = remove(&state, &ledger, &settings, (store, kept), now)?;
            failed += removed.failed;
            rows.push([
                store.as_str().to_owned(),
                removed.count.to_string(),
                size(removed.bytes),
                removed.failed.to_string(),
            ]);
        }
        println!("{}", aligned(&["STORE", "REMOVED", "SIZE", "FAILED"], rows));
        Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
    }
}

/// Rows have none that anybody counts.
fn size(bytes: u64) -> String {
    if bytes == 0 { "-".to_owned() } else { ByteSize(bytes).to_string() }
}
