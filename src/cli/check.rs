//! `kellgrend check`

mod ledger;
mod networks;
mod precision;

use super::{Exit, Failure, Global};
use crate::config::{MailSettings, Radiographs, Settings};
use crate::grading::IdentityPolicy;
use crate::intake::kept_free;
use crate::ledger::{Ledger, holds_pseudonyms};
use crate::mail::post;
use crate::schedule::EARLIEST;
use crate::state::{State, free_bytes, network_file_system};
use crate::station::decoders;
use bytesize::ByteSize;
use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Say in plain words whether settings, folders, disk, release, device and clock are fit to run
///
/// The networks grade synthetic knees, and are held against themselves in plain float32 on the CPU. Changes nothing but for
/// a probe file in each folder, removed at once. Exit code 3 if something is not fit.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Check {
    /// Hold ledger and folders against each other instead: nothing lost, nothing torn, nothing graded twice
    #[arg(long)]
    ledger: bool,
    /// What is gone is an error, too: where nobody removes originals or results by hand, something is lost
    #[arg(long, requires = "ledger")]
    strict: bool,
    /// Read every original in archive and quarantine back, too, and see whether its bytes are still those that came
    #[arg(long, requires = "ledger")]
    originals: bool,
}

const EXAMPLES: &str = "\
Try:
  kellgrend check                         before the first start, and after every change of settings or machine
  kellgrend check --ledger                after a power cut, or a restored backup; with the daemon stopped
  kellgrend check --ledger --strict       the same, where nobody removes originals or results by hand
  kellgrend check --ledger --originals    now and then, and before an old backup goes: all of them are read

Exit codes: 0 fit to run, or all agrees; 3 something is not.";

/// Less free space than this will not last a night of archive grading.
const ROOMY: u64 = 5 << 30;

#[derive(Default)]
struct Findings {
    unfit: usize,
}

impl Check {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        let source = Settings::load(global.config.as_deref()).ok().and_then(|(_, path)| path);
        let mut found = Findings::default();
        if self.ledger {
            found.agreement(&state, self.strict)?;
            if self.originals {
                found.originals(&state);
            }
            if found.unfit == 0 {
                println!("\nLedger and folders agree.");
                return Ok(Exit::Done);
            }
            return Err(Failure::Start(anyhow::anyhow!("ledger and folders do not agree: see what is BAD above")));
        }
        let from = source.map_or("built-in, no settings file".into(), |path| path.display().to_string());
        found.good("settings", &format!("valid ({from})"));
        found.folders(&state);
        found.disks(&state, settings.grading.keep_free.as_u64());
        found.ledger(&state);
        found.instance(&state);
        found.clock();
        found.identity(&settings, &state);
        found.decoder(&settings);
        found.mail(&settings.mail);
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
            if nearest(path).is_none_or(|place| path.ancestors().take_while(|a| *a != place).any(Path::exists)) {
                self.bad(name, &format!("{shown} is, or lies below, something that is no folder"));
            } else if !path.exists() {
                match nearest(path) {
                    Some(parent) if written(parent).is_ok() => {
                        self.warn(name, &format!("{shown} is not there yet; it will be made"));
                    }
                    _ => self.bad(
                        name,
                        &format!("{shown} is not there and cannot be made; make it and give it to this user"),
                    ),
                }
            } else {
                match written(path) {
                    Ok(()) => self.good(name, &format!("{shown} can be read and written")),
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                        self.bad(
                            name,
                            &format!("{shown} cannot be written by this user; change its owner or permissions"),
                        );
                    }
                    Err(error) => self.bad(name, &format!("{shown} cannot be written: {error}")),
                }
            }
        }
    }

    /// Every disk that one of the folders is on.
    fn disks(&mut self, state: &State, keep_free: u64) {
        let device = |path: &Path| nearest(path)?.metadata().ok().map(|meta| meta.dev());
        let watched = kept_free(state, device);
        let mut seen = HashSet::new();
        for (name, path) in state.folders() {
            let Some(place) = nearest(path) else { continue };
            if !place.metadata().is_ok_and(|meta| seen.insert(meta.dev())) {
                continue;
            }
            let of = format!("where the {name} folder is");
            match free_bytes(place) {
                Some(free) if free < keep_free && device(place).is_some_and(|device| watched.contains(&device)) => {
                    let (free, keep) = (ByteSize(free), ByteSize(keep_free));
                    self.bad(
                        "disk",
                        &format!("{free} free {of}; with less than {keep} ([grading] keep_free) nothing is taken"),
                    );
                }
                Some(free) if free < ROOMY => {
                    self.warn("disk", &format!("{} free {of}: not much for an archive", ByteSize(free)));
                }
                Some(free) => self.good("disk", &format!("{} free {of}", ByteSize(free))),
                None => self.warn("disk", &format!("the free space {of} cannot be told")),
            }
        }
        if let Some(kind) = nearest(&state.root).and_then(network_file_system) {
            self.bad("ledger", &format!("the state folder is on {kind}; SQLite needs a local disk"));
        }
    }

    fn ledger(&mut self, state: &State) {
        if !state.ledger.exists() {
            return self.good("ledger", "not there yet; it will be made");
        }
        match Ledger::check(&state.ledger) {
            Ok(()) => self.good("ledger", &format!("{} is sound and fits this version", state.ledger.display())),
            Err(error) => self.bad("ledger", &error.to_string()),
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

    fn identity(&mut self, settings: &Settings, state: &State) {
        let keep = settings.identity.keep;
        let used = Ledger::read(&state.ledger).is_ok_and(|db| holds_pseudonyms(&db).unwrap_or(false));
        match IdentityPolicy::check(keep, &state.root, used) {
            Ok(()) => self.good("identity", &format!("what is kept of the patient: {}", keep.as_str())),
            Err(error) => self.bad("identity", &error.to_string()),
        }
    }

    /// Grading goes on without it, and so this is never a reason not to run.
    fn mail(&mut self, settings: &MailSettings) {
        if !settings.is_on() {
            return self.good("mail", "off: nobody is told by mail");
        }
        let server = post::server(settings);
        match post::check(settings) {
            Ok(()) => self.good("mail", &format!("goes to {server}; `kellgrend mail --test` tries it")),
            Err(error) => self.warn("mail", &format!("cannot be sent to {server}: {error}")),
        }
    }
}

impl Findings {
    fn decoder(&mut self, settings: &Settings) {
        let Radiographs { decode_memory, decode_time, .. } = settings.radiographs;
        let budget = format!("{decode_memory} of memory, {} a file", humantime::format_duration(decode_time));
        match decoders(settings).and_then(|decoders| decoders.sandbox()) {
            Ok(sandbox) if sandbox.is_whole() => {
                self.good("decoder", &format!("a process of its own: {sandbox}, {budget}"))
            }
            Ok(sandbox) => self.warn("decoder", &format!("a process of its own: {sandbox}, {budget}")),
            Err(error) => self.bad("decoder", &format!("no process can be started for it: {error}")),
        }
    }
}

/// The path or the nearest folder above it that exists.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.is_dir())
}

/// Whether it can be read and written.
fn written(folder: &Path) -> io::Result<()> {
    tempfile::Builder::new().prefix(".kellgrend-check-").tempfile_in(folder)?;
    folder.read_dir().map(drop)
}
