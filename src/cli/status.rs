//! `kellgrend status`

use super::{Exit, Failure, Global};
use crate::ledger::{Ledger, Overview};
use crate::outside::{self, Snapshot, status_line};
use serde::Serialize;
use std::collections::BTreeMap;

/// Say what is going on: daemon, device, release, what has come and what became of it
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Facts {
    state: String,
    /// The process id of the instance that holds the state folder.
    running: Option<String>,
    version: Option<String>,
    device: Option<String>,
    started_at: Option<String>,
    release: Option<String>,
    release_since: Option<String>,
    /// Members that could not be loaded at the last start.
    missing: Vec<String>,
    inbox: usize,
    in_work: usize,
    quarantine: usize,
    files: BTreeMap<String, i64>,
    knees: i64,
    last_graded_at: Option<String>,
    /// The last run of training, and what came of it; null: it goes on, or there was none.
    training: Option<String>,
    training_outcome: Option<String>,
    /// Labels that came since it began.
    new_labels: Option<i64>,
    free_bytes: Option<u64>,
    /// What the running daemon tells of itself: `status.json`.
    now: Option<Snapshot>,
}

impl Status {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        let now = outside::read(&state);
        let Overview { start, missing, service, files, knees, last_graded_at, training, training_outcome, new_labels } =
            Overview::read(&Ledger::read(&state.ledger)?)?;
        let (version, device, started_at) = start.map_or((None, None, None), |(v, d, s)| (Some(v), Some(d), Some(s)));
        let facts = Facts {
            running: state.holder(),
            version,
            device,
            started_at,
            release: service.as_ref().map(|service| service.name.clone()),
            release_since: service.map(|service| service.since),
            missing,
            inbox: count(&state.inbox, ""),
            in_work: count(&state.work, ""),
            quarantine: count(&state.quarantine, ".reason.txt"),
            files,
            knees,
            last_graded_at,
            training: training.map(|training| training.run),
            training_outcome,
            new_labels,
            now,
            free_bytes: crate::state::free_bytes(&state.root),
            state: state.root.display().to_string(),
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&facts)?);
        } else {
            facts.print();
        }
        Ok(Exit::Done)
    }
}

impl Facts {
    fn print(&self) {
        let none = || "-".to_owned();
        let of = |text: &Option<String>| text.clone().unwrap_or_else(none);
        let line = |name: &str, value: String| println!("{name:<12}{value}");
        line("state", self.state.clone());
        match &self.running {
            Some(pid) => line("running", format!("yes, process {pid}, since {}", of(&self.started_at))),
            None => line("running", format!("no; last started {}", of(&self.started_at))),
        }
        if let Some(now) = &self.now {
            line("now", status_line(now));
            now.ills.iter().skip(1).for_each(|ill| line("", ill.clone()));
            if let Some(page) = &now.page {
                line("page", page.clone());
            }
        }
        line("version", of(&self.version));
        line("device", of(&self.device));
        line("release", format!("{}, in service since {}", of(&self.release), of(&self.release_since)));
        if !self.missing.is_empty() {
            line("missing", format!("{}: not loaded at the last start, and not voting", self.missing.join(", ")));
        }
        line("waiting", format!("{} in the inbox, {} in work", self.inbox, self.in_work));
        let states: Vec<_> = self.files.iter().map(|(state, count)| format!("{count} {state}")).collect();
        line("files", if states.is_empty() { "none yet".into() } else { states.join(", ") });
        line("quarantine", format!("{} files kept", self.quarantine));
        line("knees", format!("{} graded, the last one at {}", self.knees, of(&self.last_graded_at)));
        if let Some(run) = &self.training {
            line("training", format!("{run}, {}", self.training_outcome.as_deref().unwrap_or("not ended")));
        }
        if let Some(labels) = self.new_labels.filter(|labels| *labels > 0) {
            line("labels", format!("{labels} since the last training"));
        }
        line("disk", self.free_bytes.map_or_else(none, |bytes| format!("{} free", bytesize::ByteSize(bytes))));
    }
}

/// Files below a folder, without those of an ending.
fn count(folder: &std::path::Path, without: &str) -> usize {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.filter(|entry| without.is_empty() || !entry.file_name().to_string_lossy().ends_with(without)).count()
}
