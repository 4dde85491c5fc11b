//! The command line: a file a command.

mod backup;
mod bench;
mod check;
mod completions;
mod demo;
mod evaluate;
mod export;
mod grade;
mod labelled;
mod labels;
mod mail;
mod man;
mod models;
mod parquet;
mod paths;
mod progress;
mod report;
mod retention;
mod retry;
mod run;
mod status;
mod table;
mod train;

use crate::config::{LogFormat, LogLevel, Settings};
use crate::ensemble::DeviceChoice;
use crate::gpu::first_line;
use crate::memory;
use crate::state::State;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Grades knee radiographs on the Kellgren-Lawrence scale, unattended.
///
/// Drop DICOM, PNG, JPEG or TIFF files into the inbox of a running daemon (`kellgrend run`), or grade what
/// is there already (`kellgrend grade FOLDER`). Grades, every network's vote and Grad-CAM pictures appear in the
/// outbox and in the ledger, a SQLite file that answers questions (`kellgrend report`).
///
/// Not a medical device; not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "kellgrend", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try:
  kellgrend demo                          watch it work on radiographs it draws itself
  kellgrend grade --state kl films/       grade a folder, results below kl/
  kellgrend run --state /srv/kellgrend    watch /srv/kellgrend/inbox until stopped
  kellgrend report grades --limit 20      what was graded last
  kellgrend evaluate labelled/            how good it is, where a folder for each grade holds its films

Exit codes: 0 done, 1 something was refused, 2 wrong usage or settings, 3 cannot start or go on, 130 interrupted.";

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// The folder that holds everything: inbox, work, outbox, archive, quarantine, models, ledger.db
    ///
    /// Default: $XDG_DATA_HOME/kellgrend, that is ~/.local/share/kellgrend.
    #[arg(long, global = true, value_name = "DIR", env = "KELLGREND_STATE")]
    state: Option<PathBuf>,
    /// The settings file
    ///
    /// Default: etc/kellgrend/kellgrend.toml below the installation's prefix, then below /, else built-in settings.
    #[arg(long, global = true, value_name = "FILE", env = "KELLGREND_CONFIG")]
    config: Option<PathBuf>,
    /// Where the networks run: auto, cpu, cuda or cuda:N
    #[arg(long, global = true, value_name = "DEVICE", env = "KELLGREND_DEVICE")]
    device: Option<DeviceChoice>,
    /// How much the log on standard error says: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL", env = "KELLGREND_LOG", value_parser = parse_level)]
    log: Option<LogLevel>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Grade(grade::Grade),
    Evaluate(evaluate::Evaluate),
    Labels(labels::Labels),
    Train(train::Train),
    Models(models::Models),
    Report(report::Report),
    Backup(backup::Backup),
    Status(status::Status),
    Mail(mail::Mail),
    Check(check::Check),
    Bench(bench::Bench),
    Demo(demo::Demo),
    Retry(retry::Retry),
    Retention(retention::Retention),
    Completions(completions::Completions),
    Man(man::Man),
}

/// How a command ended; the exit codes are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Refused = 1,
    Interrupted = 130,
}

/// Why a command could not do its work.
#[derive(Debug)]
enum Failure {
    /// Wrong usage or settings: exit code 2.
    Usage(anyhow::Error),
    /// It cannot start, or go on: exit code 3.
    Start(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Start(error.into())
    }
}

/// A failure that is the user's to mend at the command line.
fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Usage(error.into())
}

impl Cli {
    /// Run the command; returns the process's exit code.
    pub fn execute(self) -> u8 {
        let global = self.global;
        memory::keep_what_is_freed();
        let outcome = match self.command {
            Command::Run(command) => command.execute(&global),
            Command::Grade(command) => command.execute(&global),
            Command::Evaluate(command) => command.execute(&global),
            Command::Labels(command) => command.execute(&global),
            Command::Train(command) => command.execute(&global),
            Command::Models(command) => command.execute(&global),
            Command::Report(command) => command.execute(&global),
            Command::Backup(command) => command.execute(&global),
            Command::Status(command) => command.execute(&global),
            Command::Mail(command) => command.execute(&global),
            Command::Check(command) => command.execute(&global),
            Command::Bench(command) => command.execute(&global),
            Command::Demo(command) => command.execute(&global),
            Command::Retry(command) => command.execute(&global),
            Command::Retention(command) => command.execute(&global),
            Command::Completions(command) => command.execute(),
            Command::Man(command) => command.execute(),
        };
        let (error, code) = match outcome {
            Ok(exit) => return exit as u8,
            // Whoever read our output has had enough (`kellgrend report | head`): that is no failure.
            Err(Failure::Start(error)) if is_broken_pipe(&error) => return Exit::Done as u8,
            Err(Failure::Usage(error)) => (error, 2),
            Err(Failure::Start(error)) => (error, 3),
        };
        eprintln!("kellgrend: {}", in_full(&error));
        code
    }
}

/// The error and its causes, each said once: many texts include their cause.
fn in_full(error: &anyhow::Error) -> String {
    // libtorch says first what is wrong, and then where in its own source
    let words = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<tch::TchError>() {
        Some(error) => first_line(error),
        None => cause.to_string(),
    };
    error.chain().map(words).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        said if said.contains(&cause) => said.to_owned(),
        said => format!("{said}: {cause}"),
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

impl Global {
    /// Settings from file and command line.
    fn settings(&self) -> Result<Settings, Failure> {
        let (mut settings, _) = Settings::load(self.config.as_deref()).map_err(usage)?;
        if let Some(device) = self.device {
            settings.ensemble.device = device;
        }
        if let Some(level) = self.log {
            settings.log.level = level;
        }
        Ok(settings)
    }

    /// Settings, and the folders they lead to.
    fn load(&self) -> Result<(Settings, State), Failure> {
        let settings = self.settings()?;
        let root = self.state_folder()?;
        let state = State::new(&root, &settings.folders).map_err(usage)?;
        Ok((settings, state))
    }

    /// Makes what is missing of the state folder. Where all of it is, that is said: its name may have been mistyped.
    fn create(state: &State) -> Result<(), Failure> {
        if !state.root.exists() {
            eprintln!("note: {} was not there; a new state folder is made", state.root.display());
        }
        Ok(state.create()?)
    }

    fn state_folder(&self) -> Result<PathBuf, Failure> {
        let data_home = || std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let home = || std::env::home_dir().map(|home| home.join(".local/share"));
        self.state.clone().or_else(|| data_home().or_else(home).map(|dir| dir.join("kellgrend"))).ok_or_else(|| {
            usage(anyhow::anyhow!("there is no home folder to keep the state in; name one with --state"))
        })
    }
}

fn parse_level(word: &str) -> Result<LogLevel, String> {
    serde_json::from_value(word.into()).map_err(|_| "one of error, warn, info, debug, trace is meant".to_owned())
}

/// The log of a command that a user waits for: text on standard error.
fn start_log(level: LogLevel) {
    crate::log::start(level, LogFormat::Text);
}

/// A runtime for the commands that grade.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}
