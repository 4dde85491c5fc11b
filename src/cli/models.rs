//! `kellgrend models`

mod download;

use super::table::aligned;
use super::{Exit, Failure, Global, usage};
use crate::ensemble::release::{ImportOptions, Source, import};
use crate::ensemble::{DeviceChoice, Release, VoteRule, settle, starter};
use crate::ledger::{Ledger, Service};
use crate::networks::Architecture;
use crate::state::State;
use crate::station::release_row;
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// Releases: the networks that grade, and which of them are in service
///
/// A release is a folder below models/ that is written once: release.toml names its members and the SHA-256 of their
/// weights, checked at each load. The starter release comes with the program.
#[derive(Debug, clap::Args)]
pub(super) struct Models {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All releases, and which one is in service
    List,
    /// One release: members, hashes, metrics, where it comes from
    Show {
        /// The release; default: the one in service
        name: Option<String>,
    },
    /// Check every hash, every tensor's name, shape and values
    Verify {
        /// The releases; default: all
        names: Vec<String>,
    },
    Import(Import),
    Download(download::Download),
    /// Put a release into service; a running daemon takes it at its next start
    Use {
        /// The release
        name: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        why: String,
    },
}

/// Make a release from weights that PyTorch saved
///
/// Takes state_dicts as torch.save and torchvision write them (.pt, .pth, zip or legacy format) and .safetensors,
/// float32 or float16, with torchvision's names and a five-way last layer. No code in a file is ever executed. Missing,
/// surplus or misshapen tensors and NaN are refused by name. This version knows the architecture shufflenet_v2_x2_0.
#[derive(Debug, clap::Args)]
struct Import {
    /// One file a member; ARCHITECTURE=FILE where the file's name does not begin with its architecture's
    #[arg(required = true, value_name = "[ARCHITECTURE=]FILE")]
    files: Vec<String>,
    /// The new release's name: letters a-z, digits, . _ -
    #[arg(long)]
    name: String,
    /// The side of the networks' pictures in pixels; default: each architecture's own
    #[arg(long, value_name = "PIXELS")]
    image_size: Option<u32>,
    /// How votes become a grade: mix, soft or hard
    #[arg(long, default_value = "mix", value_parser = parse_vote)]
    vote: VoteRule,
    /// A line on where the weights come from
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A text to use as MODEL_CARD.md; default: one is made
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

impl Models {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        state.create()?;
        starter::install(&state.models)?;
        match self.command {
            Command::List => list(&state)?,
            Command::Show { name } => show(&named(&state, name)?),
            Command::Verify { names } => return verify(&state, names),
            Command::Import(command) => command.execute(&state)?,
            Command::Download(command) => return command.execute(&state),
            Command::Use { name, why } => put_in_service(&state, &name, why)?,
        }
        Ok(Exit::Done)
    }
}

fn list(state: &State) -> Result<(), Failure> {
    let service = in_service(state);
    let mut rows = Vec::new();
    for name in names(&state.models)? {
        let mark = if service.as_deref() == Some(name.as_str()) { "in service" } else { "" };
        rows.push(match Release::open(&state.models.join(&name)) {
            Ok(release) => {
                let members: Vec<_> = release.members().map(|member| member.name().to_owned()).collect();
                let accuracy =
                    release.metrics().first().map_or(String::new(), |m| format!("{:.1} %", 100.0 * m.accuracy));
                [name, release.digest().short(), release.vote().to_string(), accuracy, members.join(" "), mark.into()]
            }
            Err(error) => [name, String::new(), String::new(), String::new(), error.to_string(), mark.into()],
        });
    }
    println!("{}", aligned(&["NAME", "DIGEST", "VOTE", "ACCURACY", "MEMBERS", ""], rows));
    Ok(())
}

fn show(release: &Release) {
    println!("name      {}", release.name());
    println!("digest    {}", release.digest());
    println!("created   {}", release.created().round(jiff::Unit::Second).unwrap_or(release.created()));
    println!("vote      {}", release.vote());
    println!("folder    {}\n", release.folder().display());
    let members = release.members().map(|member| {
        let entry = member.entry();
        [entry.name.clone(), entry.architecture.to_string(), entry.image_size.to_string(), entry.sha256.to_string()]
    });
    println!("{}", aligned(&["MEMBER", "ARCHITECTURE", "PIXELS", "SHA-256"], members));
    if !release.metrics().is_empty() {
        let or = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
        let metrics = release.metrics().iter().map(|m| {
            let knees = m.knees.map_or(String::new(), |knees| knees.to_string());
            [format!("{:.4}", m.accuracy), or(m.macro_f1), or(m.quadratic_kappa), knees, m.data.clone()]
        });
        println!("\n{}", aligned(&["ACCURACY", "MACRO F1", "KAPPA", "KNEES", "DATA"], metrics));
    }
    let provenance = release.provenance();
    println!("\nwritten by {}", provenance.program);
    for source in &provenance.sources {
        println!("from {} ({})", source.file, source.sha256);
    }
    if let Some(note) = &provenance.note {
        println!("{note}");
    }
    println!("\nNot a medical device; the model card is {}", release.folder().join("MODEL_CARD.md").display());
}

fn verify(state: &State, chosen: Vec<String>) -> Result<Exit, Failure> {
    settle(DeviceChoice::Cpu, 0)?;
    let chosen = if chosen.is_empty() { names(&state.models)? } else { chosen };
    let mut exit = Exit::Done;
    for name in chosen {
        match Release::open(&state.models.join(&name)).and_then(|release| release.verify()) {
            Ok(()) => println!("ok    {name}"),
            Err(error) => {
                exit = Exit::Refused;
                println!("BAD   {name}: {}", super::in_full(&error.into()));
            }
        }
    }
    Ok(exit)
}

impl Import {
    fn execute(self, state: &State) -> Result<(), Failure> {
        let mut sources = Vec::new();
        for file in &self.files {
            let (architecture, path) = parse_source(file).map_err(usage)?;
            sources.push(Source { path, architecture, image_size: self.image_size });
        }
        let card = self.card.map(std::fs::read_to_string).transpose()?;
        let (vote, note) = (self.vote, self.note);
        let created = jiff::Timestamp::now();
        let options = ImportOptions { name: self.name, created, vote, metrics: Vec::new(), note, card };
        settle(DeviceChoice::Cpu, 0)?;
        let release = import(&sources, options, &state.models)?;
        println!("{} is a release now: {}", release.name(), release.folder().display());
        println!("put it into service with: kellgrend models use --state {} {}", state.root.display(), release.name());
        Ok(())
    }
}

/// `ARCHITECTURE=FILE`, or a file whose name begins with its architecture's, as torchvision's do.
fn parse_source(word: &str) -> anyhow::Result<(Architecture, PathBuf)> {
    if let Some((architecture, path)) = word.split_once('=') {
        return Ok((architecture.parse().map_err(anyhow::Error::msg)?, path.into()));
    }
    let path = PathBuf::from(word);
    let stem = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let known = Architecture::ALL.into_iter().find(|architecture| stem.starts_with(architecture.name()));
    let names = Architecture::ALL.map(Architecture::name).join(", ");
    known.map(|architecture| (architecture, path)).ok_or_else(|| {
        anyhow::anyhow!(
            "{word}: the file's name does not begin with an architecture's ({names}); write ARCHITECTURE={word}"
        )
    })
}

fn put_in_service(state: &State, name: &str, why: String) -> Result<(), Failure> {
    let release = open(state, name)?;
    settle(DeviceChoice::Cpu, 0)?;
    release.verify()?;
    let who = std::env::var("USER").unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    Ledger::open(&state.ledger)?.put_in_service(release_row(&release)?, who, why)?;
    println!("{name} is in service");
    if let Some(pid) = state.holder() {
        println!("process {pid} is running with what it started with; restart it to grade with {name}");
    }
    Ok(())
}

fn named(state: &State, name: Option<String>) -> Result<Release, Failure> {
    let name = name.or_else(|| in_service(state)).unwrap_or_else(|| starter::NAME.to_owned());
    open(state, &name)
}

fn open(state: &State, name: &str) -> Result<Release, Failure> {
    let known = names(&state.models)?;
    if !known.iter().any(|known| known == name) {
        return Err(usage(anyhow::anyhow!("there is no release {name:?}; there are {}", known.join(", "))));
    }
    Ok(Release::open(&state.models.join(name))?)
}

fn in_service(state: &State) -> Option<String> {
    let db = Ledger::read(&state.ledger).ok()?;
    Some(Service::read(&db).ok()??.name)
}

fn names(models: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in models.read_dir()? {
        let entry = entry?;
        match entry.file_name().into_string() {
            Ok(name) if !name.starts_with('.') && entry.path().is_dir() => names.push(name),
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}

fn parse_vote(word: &str) -> Result<VoteRule, String> {
    serde_json::from_value(word.into()).map_err(|_| "one of mix, soft, hard is meant".to_owned())
}
