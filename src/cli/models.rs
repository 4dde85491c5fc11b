//! `kellgrend models`

mod download;
mod import;
mod verify;

use super::table::aligned;
use super::{Exit, Failure, Global, usage};
use crate::config::Settings;
use crate::ensemble::release::{Metrics, Review};
use crate::ensemble::{DeviceChoice, Ensemble, Release, settle, starter};
use crate::ledger::{Ledger, LedgerError, Service};
use crate::networks::Form;
use crate::state::State;
use crate::station::{check_name, release_row, take_release};
use anyhow::Context as _;
use clap::Subcommand;
use import::Import;
use std::path::Path;

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
    /// One release: members, temperatures, hashes, metrics, where it comes from
    Show {
        /// The release; default: the one in service
        name: Option<String>,
    },
    /// Check every hash, every tensor's name, shape and values
    Verify {
        /// The releases; default: all, and the ImageNet weights that were downloaded
        names: Vec<String>,
    },
    Import(Import),
    Download(download::Download),
    /// Put a release into service; a running daemon grades with it from the next radiograph on
    #[command(alias = "use")]
    Promote {
        /// The release
        name: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        why: String,
    },
    /// Put the release back into service that was there before the one that is; again, the one before that
    Rollback {
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "rolled back by hand")]
        why: String,
    },
}

impl Models {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        Global::create(&state)?;
        starter::install(&state.models)?;
        match self.command {
            Command::List => list(&state)?,
            Command::Show { name } => show(&named(&state, name)?),
            Command::Verify { names } => return verify::verify(&state, names),
            Command::Import(command) => command.execute(&state)?,
            Command::Download(command) => return command.execute(&state),
            Command::Promote { name, why } => put_in_service(&settings, &state, &name, why)?,
            Command::Rollback { why } => roll_back(&settings, &state, why)?,
        }
        Ok(Exit::Done)
    }
}

fn list(state: &State) -> Result<(), Failure> {
    let service = in_service(state)?;
    let mut rows = Vec::new();
    for name in names(&state.models)? {
        let mark = if service.as_deref() == Some(name.as_str()) { "in service" } else { "" };
        rows.push(match Release::open(&state.models.join(&name)) {
            Ok(release) => {
                let members: Vec<_> = release.members().map(|member| member.name().to_owned()).collect();
                let accuracy =
                    release.metrics().first().map_or(String::new(), |m| format!("{:.1} %", 100.0 * m.accuracy));
                [name, mark.into(), release.digest().short(), release.vote().to_string(), accuracy, members.join(" ")]
            }
            Err(error) => [name, mark.into(), String::new(), String::new(), String::new(), error.to_string()],
        });
    }
    println!("{}", aligned(&["NAME", "", "DIGEST", "VOTE", "ACCURACY", "MEMBERS"], rows));
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
        let (pixels, temperature) =
            (entry.image_size.to_string(), ((entry.temperature * 1000.0).round() / 1000.0).to_string());
        let pixels = if entry.zoom > 1.0 { format!("{pixels}, zoom {}", entry.zoom) } else { pixels };
        let fold = entry.fold.map_or("-".to_owned(), |fold| fold.to_string());
        [entry.name.clone(), entry.architecture.to_string(), pixels, temperature, fold, entry.sha256.to_string()]
    });
    println!("{}", aligned(&["MEMBER", "ARCHITECTURE", "PIXELS", "TEMPERATURE", "FOLD", "SHA-256"], members));
    if let Some(Review { threshold, coverage, accuracy }) = release.review() {
        let right = accuracy.map_or(String::new(), |accuracy| format!(", {:.1} % of them rightly", 100.0 * accuracy));
        let kept = 100.0 * coverage;
        println!("\na human should look where it is less than {threshold:.3} sure; it grades {kept:.1} % alone{right}");
    }
    if !release.metrics().is_empty() {
        println!("\n{}", metrics(release));
    }
    let provenance = release.provenance();
    println!("\nwritten by {}", provenance.program);
    for source in &provenance.sources {
        println!("from {} ({})", source.file, source.sha256);
    }
    if let Some(note) = &provenance.note {
        println!("{note}");
    }
    // what was trained here has a page
    let cards = ["card.html", "MODEL_CARD.md"].map(|name| release.folder().join(name));
    let [page, text] = &cards;
    println!("\nNot a medical device; the model card is {}", if page.exists() { page } else { text }.display());
}

/// How well a release grades, as far as it knows, as a table.
pub(super) fn metrics(release: &Release) -> String {
    let or = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    let metrics = release.metrics().iter().map(|Metrics { data, knees, accuracy, macro_f1, quadratic_kappa }| {
        let knees = knees.map_or("-".to_owned(), |knees| knees.to_string());
        [format!("{accuracy:.4}"), or(*macro_f1), or(*quadratic_kappa), knees, data.clone()]
    });
    aligned(&["ACCURACY", "MACRO F1", "KAPPA", "KNEES", "DATA"], metrics)
}

/// Whoever cannot grade here is not put into service: better said now than by a daemon that ends.
fn try_out(release: &Release, settings: &Settings) -> anyhow::Result<()> {
    let device = settle(DeviceChoice::Cpu, settings.ensemble.threads)?;
    let ensemble = Ensemble::load(release, &device, Form::Plain, settings.ensemble.quorum)?;
    for absent in ensemble.absent() {
        eprintln!("without {}, as the quorum allows: {}", absent.name, absent.reason);
    }
    ensemble.try_out().with_context(|| format!("the release {:?} cannot grade", release.name()))
}

fn put_in_service(settings: &Settings, state: &State, name: &str, why: String) -> Result<(), Failure> {
    let release = open(state, name)?;
    if release.name() != name {
        return Err(usage(anyhow::anyhow!(
            "the folder models/{name} holds a release that calls itself {:?}: give both one name, the folder's and `name` in its \
             release.toml",
            release.name()
        )));
    }
    try_out(&release, settings)?;
    let ledger = Ledger::open(&state.ledger)?;
    if ledger.in_service()?.is_none() {
        // what graded until now, or would have: there is something to go back to
        take_release("", state, &ledger)?;
    }
    check_name(&release, &state.ledger).map_err(usage)?;
    ledger.put_in_service(release_row(&release), user(), why)?;
    is_in_service(state, name);
    Ok(())
}

fn roll_back(settings: &Settings, state: &State, why: String) -> Result<(), Failure> {
    let ledger = Ledger::open(&state.ledger)?;
    let Some((row, before)) = ledger.before_service()? else {
        return Err(usage(anyhow::anyhow!(
            "nothing is left to go back to (`kellgrend report service`); `kellgrend models promote` puts any release into service"
        )));
    };
    let release = open(state, &before.name)?;
    if release.digest().to_string() != before.sha256 {
        let name = &before.name;
        return Err(usage(anyhow::anyhow!(
            "the release {name:?} is not what it was when it was in service; restore it, or promote it under a name of its own"
        )));
    }
    try_out(&release, settings)?;
    ledger.roll_back(row, user(), why)?;
    is_in_service(state, &before.name);
    Ok(())
}

fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn is_in_service(state: &State, name: &str) {
    println!("{name} is in service");
    if let Some(pid) = state.holder() {
        println!("process {pid} takes it up within seconds, unless its settings name another");
    }
}

fn named(state: &State, name: Option<String>) -> Result<Release, Failure> {
    match name {
        Some(name) => open(state, &name),
        None => open(state, &in_service(state)?.unwrap_or_else(|| starter::NAME.to_owned())),
    }
}

/// A release of the state folder by its name.
pub(super) fn open(state: &State, name: &str) -> Result<Release, Failure> {
    let known = names(&state.models).unwrap_or_default();
    if known.is_empty() {
        let models = state.models.display();
        return Err(usage(anyhow::anyhow!(
            "there is no release {name:?}, nor any other, in {models}; name the right folder with --state"
        )));
    }
    if !known.iter().any(|known| known == name) {
        return Err(usage(anyhow::anyhow!("there is no release {name:?}; there are {}", known.join(", "))));
    }
    Ok(Release::open(&state.models.join(name))?)
}

fn in_service(state: &State) -> Result<Option<String>, LedgerError> {
    Ok(Service::of(&state.ledger)?.map(|service| service.name))
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
