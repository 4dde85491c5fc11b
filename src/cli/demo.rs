//! `kellgrend demo`

mod fates;
mod films;

use super::table::aligned;
use super::{Exit, Failure, Global, usage};
use anyhow::Context as _;
use fates::Fates;
use films::Film;
use indicatif::{ProgressBar, ProgressStyle};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Watch it work: a daemon on a fresh folder, radiographs dropped into its inbox, what became of them
///
/// Without a folder of your own, a few synthetic radiographs are drawn: left and right, DICOM in two codings, PNG, JPEG,
/// one that is broken and one that comes twice. Ends by itself.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// A folder of your own radiographs; they are copied, never moved or changed
    folder: Option<PathBuf>,
}

/// Quick to settle, quick to give up on the broken one; otherwise what everybody gets.
const SETTINGS: &str = "\
# The demo's settings: impatient, since its files arrive whole.
[settle]
quiet = \"1s\"
scan_every = \"2s\"
truncated_after = \"2s\"
";

/// Says that a folder is an earlier demo's and may be emptied.
const MARK: &str = ".kellgrend-demo";

impl Demo {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let root = std::path::absolute(global.state.clone().unwrap_or_else(|| "kellgrend-demo".into()))?;
        // an earlier demo's folder is emptied, and nobody's films are to be in it
        if let Some(folder) = &self.folder
            && let (Ok(films), Ok(place)) = (folder.canonicalize(), root.canonicalize())
            && films.starts_with(&place)
        {
            let (films, place) = (films.display(), place.display());
            return Err(usage(anyhow::anyhow!(
                "{films} lies in {place}, which the demo empties; move it away, or name another folder with --state"
            )));
        }
        fresh(&root)?;
        let films = match &self.folder {
            Some(folder) => films::copy(folder, &root).map_err(usage)?,
            None => films::draw(&root.join("films"))?,
        };
        println!("{} radiographs in {}", films.len(), root.join("films").display());

        let settings = root.join("demo.toml");
        std::fs::write(&settings, SETTINGS)?;
        let log = root.join("daemon.log");
        let mut daemon = Daemon::start(&root, &settings, &log, global)?;
        println!("a daemon watches  {}\n", root.join("inbox").display());
        for film in &films {
            std::fs::copy(&film.path, root.join("inbox").join(&film.name))?;
        }
        let fates = daemon.wait(&root, &films)?;
        daemon.stop()?;
        tell(&root, &films, &fates, self.folder.is_none());
        Ok(Exit::Done)
    }
}

/// An empty folder; an earlier demo's is emptied, anybody else's refused.
fn fresh(root: &Path) -> Result<(), Failure> {
    if root.join(MARK).exists() {
        std::fs::remove_dir_all(root)?;
    } else if root.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(usage(anyhow::anyhow!("{} is not empty and no demo's; name another with --state", root.display())));
    }
    std::fs::create_dir_all(root)?;
    Ok(std::fs::write(root.join(MARK), "made by `kellgrend demo`, which may remove it again\n")?)
}

struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    fn start(root: &Path, settings: &Path, log: &Path, global: &Global) -> anyhow::Result<Self> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.arg("run").arg("--state").arg(root).arg("--config").arg(settings);
        if let Some(device) = global.device {
            command.arg("--device").arg(device.to_string());
        }
        let child = command.stdin(Stdio::null()).stderr(File::create(log)?).spawn()?;
        let mut daemon = Self { child, log: log.to_owned() };
        // The inbox appears early in its start; what lies there before it watches is found all the same.
        while !root.join("inbox").is_dir() {
            daemon.alive()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }

    fn alive(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            anyhow::bail!("the daemon ended early ({status}):\n{log}");
        }
        Ok(())
    }

    /// Until every film has its fate. A daemon that makes no headway for a minute is not waited for.
    fn wait(&mut self, root: &Path, films: &[Film]) -> anyhow::Result<Fates> {
        let bar = ProgressBar::new(films.len() as u64);
        bar.set_style(
            ProgressStyle::with_template("{spinner} {pos}/{len} done  {elapsed}").context("a valid template")?,
        );
        let mut headway = Instant::now();
        loop {
            self.alive()?;
            let fates = fates::read(&root.join("ledger.db"), films).unwrap_or_default();
            if fates.len() as u64 > bar.position() {
                headway = Instant::now();
            }
            bar.set_position(fates.len() as u64);
            if fates.len() == films.len() {
                bar.finish_and_clear();
                return Ok(fates);
            }
            anyhow::ensure!(
                headway.elapsed() < Duration::from_secs(60),
                "the daemon has made no headway for a minute; its log is {}",
                self.log.display()
            );
            bar.tick();
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process has an id")?;
        kill_process(pid, Signal::TERM)?;
        let status = self.child.wait()?;
        anyhow::ensure!(
            status.success(),
            "the daemon did not stop cleanly ({status}); its log is {}",
            self.log.display()
        );
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tell(root: &Path, films: &[Film], fates: &Fates, drawn: bool) {
    let header = ["FILE", "FATE", "SIDE", "GRADE", "MEANING", "CERTAINTY"];
    let rows = films.iter().enumerate().flat_map(|(i, film)| fates[&i].rows(&film.name));
    println!("{}\n", aligned(&header, rows));
    for fate in fates.values() {
        if let Some(reason) = &fate.reason {
            println!("  {}: {reason}", fate.state);
        }
    }
    let at = |name: &str| root.join(name).display().to_string();
    println!("\nResults, a folder each:  {}", at("outbox"));
    if let Some(picture) = fates.values().find_map(|fate| fate.knees.first()?.picture.clone()) {
        println!("A picture to look at:    {}", root.join("outbox").join(picture).display());
    }
    println!("Originals:               {}", at("archive"));
    println!("What was refused:        {}", at("quarantine"));
    println!("The daemon's log:        {}", at("daemon.log"));
    println!("The ledger:              {}\n", at("ledger.db"));
    println!("Ask it something (sqlite3, or `kellgrend report --state {}`):\n", root.display());
    for query in [
        "SELECT side, grade, round(max(p0, p1, p2, p3, p4), 2) AS certainty, picture FROM report_grades",
        "SELECT reason_code, count(*) FROM report_refused GROUP BY reason_code",
        "SELECT member, avg(grade = ensemble_grade) AS agrees FROM report_votes GROUP BY member",
    ] {
        println!("  sqlite3 -box {} \\\n    '{query}'", at("ledger.db"));
    }
    let films = if drawn {
        "The synthetic radiographs show nobody's knees."
    } else {
        "The demo's folder holds copies of yours."
    };
    println!("\nNot a medical device; not for diagnosis. {films}");
}
