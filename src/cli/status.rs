//! `kellgrend status`

use super::{Exit, Failure, Global};
use crate::intake::passed_over;
use crate::ledger::{Overview, timestamp};
use crate::outside::{self, Snapshot, status_line};
use crate::state::REASON;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

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
        let (settings, state) = global.load()?;
        let ignore = &settings.settle.ignore;
        let now = outside::read(&state);
        let Overview { start, missing, service, files, knees, last_graded_at, training, training_outcome, new_labels } =
            Overview::read(&state.ledger)?;
        let (version, device, started_at) = start.map_or((None, None, None), |(v, d, s)| (Some(v), Some(d), Some(s)));
        let running = state.holder();
        // a release that was put into service begins a start of its own in the ledger
        let began = now.as_ref().filter(|_| running.is_some()).map(|now| timestamp(now.started_at));
        let started_at = began.or(started_at);
        let facts = Facts {
            running,
            version,
            device,
            started_at,
            release: service.as_ref().map(|service| service.name.clone()),
            release_since: service.map(|service| service.since),
            missing,
            inbox: count(&state.inbox, |name| passed_over(name, ignore)),
            in_work: count(&state.work, |_| false),
            quarantine: count(&state.quarantine, |name| name.as_encoded_bytes().ends_with(REASON.as_bytes())),
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
            let silent = Timestamp::now().duration_since(now.at).as_secs();
            line("now", status_line(now));
            if silent > SILENT {
                line("", format!("so it said {silent} s ago, and nothing since: it hangs, or was stopped"));
            }
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
        line("quarantine", counted(self.quarantine, "file", "kept"));
        let last = self.last_graded_at.as_ref().map_or(String::new(), |last| format!(", the last one at {last}"));
        line("knees", format!("{} graded{last}", self.knees));
        if let Some(run) = &self.training {
            line("training", format!("{run}, {}", self.training_outcome.as_deref().unwrap_or("not ended")));
        }
        if let Some(labels) = self.new_labels.filter(|labels| *labels > 0) {
            line("labels", format!("{labels} since the last training"));
        }
        if let Some(mails) = self.now.as_ref().map(|now| now.mails_waiting).filter(|mails| *mails > 0) {
            line("mail", format!("{mails} not sent yet; `kellgrend mail` says why"));
        }
        line("disk", self.free_bytes.map_or_else(none, |bytes| format!("{} free", bytesize::ByteSize(bytes))));
    }
}

fn counted(count: usize, what: &str, how: &str) -> String {
    format!("{count} {what}{} {how}", if count == 1 { "" } else { "s" })
}

/// A daemon that is well speaks every few seconds.
const SILENT: i64 = 30;

/// Files below a folder, without those whose names, or whose folders' names, say that they are no films.
fn count(folder: &Path, is_none: impl Fn(&OsStr) -> bool) -> usize {
    let is_wanted = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_none(entry.file_name());
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_entry(is_wanted).flatten();
    entries.filter(|entry| entry.file_type().is_file()).count()
}
