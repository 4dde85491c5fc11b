//! `kellgrend models download`

use crate::cli::{Exit, Failure, runtime, usage};
use crate::download::{DownloadError, Fetched, Origin, Patience, Standing, Step, fetch, standing};
use crate::networks::imagenet::{FILES, PUBLISHED};
use crate::state::State;
use clap::builder::PossibleValuesParser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Fetch the ImageNet weights that training starts from
///
/// torchvision's, into imagenet/ below the state folder, each checked by the SHA-256 in its name. What is there is not
/// fetched again, and what was interrupted goes on where it stopped. Without a network, bring the files by hand: the
/// same command checks them. All eight have 1 GB.
#[derive(Debug, clap::Args)]
pub(super) struct Download {
    /// The networks; default: all
    #[arg(value_name = "NETWORK", value_parser = PossibleValuesParser::new(FILES.map(|known| known.architecture.name())))]
    networks: Vec<String>,
    /// The address that the files are below, for a mirror
    #[arg(long, value_name = "URL", default_value = PUBLISHED, env = "KELLGREND_IMAGENET")]
    from: String,
}

/// What did not come, and why.
#[derive(Default)]
struct Missing {
    files: Vec<&'static str>,
    reasons: Vec<String>,
}

impl Download {
    pub(super) fn execute(self, state: &State) -> Result<Exit, Failure> {
        let origin = Origin::new(&self.from, Patience::default()).map_err(|error| usage(anyhow::anyhow!(error)))?;
        let wanted = |name: &str| self.networks.is_empty() || self.networks.iter().any(|chosen| chosen == name);
        let files: Vec<_> =
            FILES.iter().filter(|known| wanted(known.architecture.name())).map(|known| known.file).collect();
        let bar = progress_bar();
        let work = {
            let (folder, bar) = (state.imagenet.clone(), bar.clone());
            move || all(&files, &origin, &folder, &bar)
        };
        let runtime = runtime()?;
        let missing = runtime.block_on(async {
            let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            tokio::select! {
                missing = tokio::task::spawn_blocking(work) => missing?.map(Some),
                _ = term.recv() => Ok(None),
                _ = int.recv() => Ok(None),
            }
        });
        // What is under way waits for its server, perhaps for long; the process ends under it, and nothing is lost.
        runtime.shutdown_background();
        bar.finish_and_clear();
        match missing? {
            Some(missing) if missing.files.is_empty() => Ok(Exit::Done),
            Some(missing) => Err(missing.by_hand(&state.imagenet).into()),
            None => {
                eprintln!("interrupted; the same command goes on where it stopped");
                Ok(Exit::Interrupted)
            }
        }
    }
}

/// Looks at every file first, and fetches what is not there.
fn all(files: &[&'static str], origin: &Origin, folder: &Path, bar: &ProgressBar) -> anyhow::Result<Missing> {
    let mut absent = Vec::new();
    for &file in files {
        match standing(file, folder)? {
            Standing::Right => println!("have  {file}"),
            Standing::Absent => absent.push(file),
            Standing::Wrong(found) => {
                let found = &found.to_string()[..8];
                println!("BAD   {file}: it is damaged or another file (SHA-256 {found}...), and is fetched anew");
                absent.push(file);
            }
        }
    }
    let mut missing = Missing::default();
    let mut absent = absent.into_iter();
    while let Some(file) = absent.next() {
        match one(file, origin, folder, bar) {
            Ok(Fetched::Had) => println!("have  {file}"),
            Ok(Fetched::Got) => println!("got   {file}"),
            Err(error @ (DownloadError::Name(_) | DownloadError::Busy { .. } | DownloadError::Io { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                missing.files.push(file);
                missing.reasons.push(error.to_string());
                // Where there is no network for one file, there is none for the others.
                if matches!(error, DownloadError::Unreachable { .. } | DownloadError::Broken { .. }) {
                    missing.files.extend(absent.by_ref());
                }
            }
        }
    }
    Ok(missing)
}

/// One file, with a bar while it comes.
fn one(file: &'static str, origin: &Origin, folder: &Path, bar: &ProgressBar) -> Result<Fetched, DownloadError> {
    let mut first = true;
    let outcome = fetch(file, origin, folder, &mut |step| match step {
        Step::Bytes(here, total) => {
            if std::mem::take(&mut first) {
                bar.reset();
                bar.set_message(file);
                total.map_or_else(|| bar.unset_length(), |total| bar.set_length(total));
                // What an earlier run brought says nothing about how fast the rest will come.
                bar.set_position(here);
                bar.reset_eta();
                bar.enable_steady_tick(Duration::from_millis(500));
            }
            bar.set_position(here);
        }
        Step::Again(error) => bar.suspend(|| eprintln!("{error}; trying again")),
    });
    bar.disable_steady_tick();
    bar.finish_and_clear();
    outcome
}

impl Missing {
    /// How to do without the network.
    fn by_hand(&self, folder: &Path) -> anyhow::Error {
        let addresses: Vec<_> = self.files.iter().map(|file| format!("  {PUBLISHED}{file}")).collect();
        anyhow::anyhow!(
            "{}; where another machine can fetch what is missing, put it into {} and run the same command again, which \
             checks it:\n{}",
            self.reasons.join("; "),
            folder.display(),
            addresses.join("\n")
        )
    }
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
    let style =
        "{bar:24.cyan/blue} {decimal_bytes:>9}/{decimal_total_bytes}  {decimal_bytes_per_sec}, {eta} left  {msg}";
    bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
    bar
}
