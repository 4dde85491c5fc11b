//! `kellgrend check`

use super::{Exit, Failure, Global};
use crate::config::Settings;
use crate::ensemble::{Ensemble, Release, settle, starter};
use crate::ledger::{Ledger, Service};
use crate::state::{State, free_bytes, network_file_system};
use bytesize::ByteSize;
use std::path::Path;

/// Say in plain words whether settings, folders, disk, release, device and clock are fit to run
///
/// Changes nothing but for a probe file in each folder, removed at once. Exit code 3 if something is not fit.
#[derive(Debug, clap::Args)]
pub(super) struct Check {}

/// Less free space than this will not last a night of archive grading.
const ROOMY: u64 = 5 << 30;
/// With less than this nothing can be graded safely.
const TIGHT: u64 = 512 << 20;
/// This program did not exist before: a clock that says so is wrong.
const EARLIEST: i64 = 1_760_000_000;

#[derive(Default)]
struct Findings {
    unfit: usize,
}

impl Check {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        let source = Settings::load(global.config.as_deref()).ok().and_then(|(_, path)| path);
        let mut found = Findings::default();
        let from = source.map_or("built-in, no settings file".into(), |path| path.display().to_string());
        found.good("settings", &format!("valid ({from})"));
        found.folders(&state);
        found.disk(&state);
        found.ledger(&state);
        found.instance(&state);
        found.clock();
        found.networks(&settings, &state);
        if found.unfit == 0 {
            println!("\nFit to run.");
            return Ok(Exit::Done);
        }
        Err(Failure::Start(anyhow::anyhow!("{} of these must be mended before it can run", found.unfit)))
    }
}

impl Findings {
    fn good(&mut self, what: &str, words: &str) {
        println!("ok    {what:<11} {words}");
    }

    fn warn(&mut self, what: &str, words: &str) {
        println!("note  {what:<11} {words}");
    }

    fn bad(&mut self, what: &str, words: &str) {
        self.unfit += 1;
        println!("BAD   {what:<11} {words}");
    }

    fn folders(&mut self, state: &State) {
        for (name, path) in state.folders() {
            let shown = path.display();
            if !path.exists() {
                match nearest(path) {
                    Some(parent) if writable(parent) => {
                        self.good(name, &format!("{shown} is not there yet; it will be made"));
                    }
                    _ => self.bad(
                        name,
                        &format!("{shown} is not there and cannot be made; make it and give it to this user"),
                    ),
                }
            } else if writable(path) {
                self.good(name, &format!("{shown} can be read and written"));
            } else {
                self.bad(name, &format!("{shown} cannot be written by this user; change its owner or permissions"));
            }
        }
    }

    fn disk(&mut self, state: &State) {
        let Some(place) = nearest(&state.root) else { return };
        match free_bytes(place) {
            Some(free) if free < TIGHT => self.bad("disk", &format!("only {} free", ByteSize(free))),
            Some(free) if free < ROOMY => {
                self.warn("disk", &format!("{} free: not much for an archive", ByteSize(free)))
            }
            Some(free) => self.good("disk", &format!("{} free", ByteSize(free))),
            None => self.warn("disk", "the free space cannot be told"),
        }
        if let Some(kind) = network_file_system(place) {
            self.bad("ledger", &format!("the state folder is on {kind}; SQLite needs a local disk"));
        }
    }

    fn ledger(&mut self, state: &State) {
        if !state.ledger.exists() {
            return self.good("ledger", "not there yet; it will be made");
        }
        let verdict = Ledger::read(&state.ledger).map_err(|e| e.to_string()).and_then(|db| {
            db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).map_err(|e| e.to_string())
        });
        match verdict.as_deref() {
            Ok("ok") => self.good("ledger", &format!("{} is sound", state.ledger.display())),
            Ok(damage) => self.bad("ledger", &format!("{} is damaged: {damage}", state.ledger.display())),
            Err(error) => self.bad("ledger", error),
        }
    }

    fn instance(&mut self, state: &State) {
        match state.holder() {
            Some(pid) => self.warn("instance", &format!("process {pid} is running with this state folder now")),
            None => self.good("instance", "no other instance uses this state folder"),
        }
    }

    fn clock(&mut self) {
        let now = jiff::Timestamp::now();
        if now.as_second() < EARLIEST {
            self.bad(
                "clock",
                &format!("it says {now:.0}, which is long past; set it, or every time on record is wrong"),
            );
        } else {
            self.good("clock", &format!("{now:.0}"));
        }
    }

    fn networks(&mut self, settings: &Settings, state: &State) {
        let device = match settle(settings.ensemble.device, settings.ensemble.threads) {
            Ok(device) => device,
            Err(error) => return self.bad("device", &error.to_string()),
        };
        let remark = device.remark.as_ref().map_or_else(String::new, |remark| format!(" ({remark})"));
        self.good("device", &format!("{device}{remark}"));
        let name = match settings.ensemble.release.as_str() {
            "" => Ledger::read(&state.ledger).ok().and_then(|db| Service::read(&db).ok().flatten()).map(|s| s.name),
            named => Some(named.to_owned()),
        };
        let release = match &name {
            Some(name) => Release::open(&state.models.join(name)),
            None => {
                return self
                    .good("release", &format!("none yet: the bundled {} will be put into service", starter::NAME));
            }
        };
        match release.and_then(|release| Ensemble::load(&release, &device).map(|_| release)) {
            Ok(release) => {
                self.good(
                    "release",
                    &format!("{}: {} network(s), every hash right", release.name(), release.members().len()),
                );
            }
            Err(error) => self.bad("release", &error.to_string()),
        }
    }
}

/// The path or the nearest folder above it that exists.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.is_dir())
}

fn writable(folder: &Path) -> bool {
    tempfile::Builder::new().prefix(".kellgrend-check-").tempfile_in(folder).is_ok() && folder.read_dir().is_ok()
}
