//! `kellgrend grade`

mod answer;

use super::{Exit, Failure, Global, is_broken_pipe, paths, progress, runtime, start_log, usage};
use crate::digest::Digest;
use crate::grading::{Fate, KeptName, Subject, Trouble};
use crate::ledger::{Arrival, Origin, Prior, now};
use crate::station::{Desk, Station};
use answer::{Answer, Printer, Tally};
use indicatif::ProgressBar;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Grade files, folders and globs now, without the daemon
///
/// The files stay where they are; results go to the outbox and the ledger of the state folder. What the ledger has
/// from the same release is not graded again, so a run that was interrupted goes on where it stopped. One line a knee
/// on standard output, progress on standard error.
#[derive(Debug, clap::Args)]
pub(super) struct Grade {
    /// Radiographs, folders of them (searched through, but for links in them), or globs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON object a knee
    ///
    /// Its status is graded, duplicate (graded before, from the ledger) or quarantined (refused; the file stays where it is).
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Comma-separated values with a header line
    #[arg(long)]
    csv: bool,
    /// Draw no Grad-CAM pictures; what is graded without them stays without
    #[arg(long)]
    no_pictures: bool,
    /// Radiographs decoded and drawn at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    jobs: Option<u32>,
    /// Knees that go through the networks together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Option<u32>,
    /// The release to grade with, instead of the one in service
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
}

/// What every file of a run shares.
struct Run {
    station: Station,
    desk: Arc<Desk>,
    /// Of the files of the same bytes the last one on its way, locked until it has an answer: the next finds that answer.
    last: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

impl Grade {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (mut settings, state) = global.load()?;
        // The log's usual chatter would tear the progress bar: warnings only, unless asked for.
        start_log(global.log.unwrap_or(crate::config::LogLevel::Warn));
        if self.no_pictures {
            settings.pictures.draw = false;
        }
        if let Some(jobs) = self.jobs {
            settings.grading.jobs = jobs as usize;
        }
        if let Some(batch) = self.batch {
            settings.ensemble.batch = batch as usize;
        }
        if let Some(release) = self.release {
            settings.ensemble.release = release;
        }
        let own = state.folders().map(|(_, path)| path.to_owned());
        let (files, unreadable) = paths::expand(&self.paths, &own).map_err(usage)?;
        let outbox = state.outbox.clone();
        let station = Station::open(&settings, state, "grade")?;
        let _first = station.state.priority().grading();
        // What an earlier start left unfinished is not this run's: its claims are withdrawn, its files graded anew.
        for unfinished in station.ledger.unfinished()? {
            if !station.state.in_work(&unfinished.digest).exists() {
                station.ledger.withdrawn(
                    unfinished.file,
                    "interrupted",
                    "the program stopped before it was published",
                )?;
            }
        }
        let run = Arc::new(Run { desk: station.desk(), station, last: Mutex::default() });
        let mut printer = Printer::new(self.json, self.csv);
        printer.begin()?;
        let unreadable: Vec<_> = unreadable.iter().map(|(path, error)| Answer::unreadable(path, error)).collect();
        let progress = progress::bar(files.len());
        let mut tally = runtime()?.block_on(run.all(files, &mut printer, &progress))?;
        progress.finish_and_clear();
        if !tally.unheard {
            for answer in &unreadable {
                tally.count(answer);
                printer.print(answer)?;
            }
            printer.finish()?;
        }
        eprintln!("{tally}; results in {}", outbox.display());
        if tally.unheard {
            eprintln!("nobody reads the answers any more; the same command goes on where it stopped");
            return Ok(Exit::Interrupted);
        }
        if tally.interrupted {
            eprintln!("interrupted; the same command goes on where it stopped");
            return Ok(Exit::Interrupted);
        }
        Ok(if tally.refused == 0 { Exit::Done } else { Exit::Refused })
    }
}

impl Run {
    /// Grade all files, several on their way at a time, answers in the order of the files.
    async fn all(
        self: Arc<Self>,
        files: Vec<PathBuf>,
        printer: &mut Printer,
        progress: &ProgressBar,
    ) -> anyhow::Result<Tally> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let mut files = files.into_iter();
        let mut under_way = VecDeque::new();
        let mut tally = Tally::default();
        let mut failure = None;
        let mut turn = Turn::first();
        loop {
            while under_way.len() < self.desk.in_flight {
                let Some(path) = files.next() else { break };
                under_way.push_back(tokio::spawn(self.clone().one(path, turn.pass_on())));
            }
            let Some(task) = under_way.front_mut() else { break };
            let answer = tokio::select! {
                answer = task => answer?,
                _ = term.recv() => break,
                _ = int.recv() => break,
            };
            under_way.pop_front();
            match answer {
                Ok(answer) => {
                    tally.count(&answer);
                    if let Err(error) = progress.suspend(|| printer.print(&answer)) {
                        tally.unheard = is_broken_pipe(&error);
                        failure = (!tally.unheard).then_some(error);
                        break;
                    }
                    progress.inc(1);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // What the networks have begun is finished, on record and in the outbox; the rest is left for the next run.
        tally.interrupted = !under_way.is_empty();
        self.desk.grading.stop();
        for task in under_way {
            // of what was stopped there is no answer
            let Ok(Ok(answer)) = task.await else { continue };
            tally.count(&answer);
            if !tally.unheard && failure.is_none() {
                failure = progress.suspend(|| printer.print(&answer)).err();
            }
        }
        failure.map_or(Ok(tally), Err)
    }

    async fn one(self: Arc<Self>, path: PathBuf, turn: Turn) -> anyhow::Result<Answer> {
        let hashed = hash(path.clone()).await?;
        let next = turn.come().await;
        let (digest, bytes) = match hashed {
            Ok(known) => known,
            Err(error) => return Ok(Answer::unreadable(&path, &error)),
        };
        let own = Arc::new(tokio::sync::Mutex::new(()));
        let _until_answered = own.clone().lock_owned().await;
        let before = self.last.lock().expect("no holder panics").insert(digest, own);
        drop(next);
        if let Some(before) = before {
            drop(before.lock().await);
        }
        let release = &self.desk.release;
        if let Some(recorded) = self.station.ledger.answer(digest, release.digest()).await? {
            let side = self.desk.grading.identity().of_name(&path).side;
            return Ok(Answer::duplicate(&path, digest, recorded, release.name(), side));
        }
        let subject = self.claim(&path, digest, bytes).await?;
        Ok(match self.desk.grading.grade(&subject).await {
            Ok(Fate::Published { knees, .. }) => Answer::graded(&path, digest, knees, release.name()),
            Ok(Fate::Refused { code, reason, .. }) => Answer::refused(&path, digest, code, reason),
            Err(Trouble::Changed) => {
                self.withdraw(&subject, "changed", "the file changed while it was read").await?;
                Answer::changed(&path, digest)
            }
            Err(Trouble::Read(error)) => {
                self.withdraw(&subject, "unreadable", "the file could not be read").await?;
                Answer::unreadable(&path, &error)
            }
            Err(trouble) => return Err(trouble.into()),
        })
    }

    async fn withdraw(
        self: &Arc<Self>,
        subject: &Subject,
        code: &'static str,
        why: &'static str,
    ) -> anyhow::Result<()> {
        let (run, file) = (self.clone(), subject.file);
        Ok(tokio::task::spawn_blocking(move || run.station.ledger.withdrawn(file, code, why)).await??)
    }

    async fn claim(self: &Arc<Self>, path: &Path, digest: Digest, bytes: u64) -> anyhow::Result<Subject> {
        let KeptName { name, side, patient } = self.desk.grading.identity().of_name(path);
        let at = now();
        let arrival = Arrival {
            digest,
            bytes,
            kept: true, // where the user keeps it
            origin: Origin::CommandLine,
            name: name.clone(),
            side_by_name: side,
            patient_by_name: patient,
            seen_at: at.clone(),
            settled_at: at.clone(),
            start: self.desk.start,
        };
        let run = self.clone();
        let prior = tokio::task::spawn_blocking(move || run.station.ledger.claim(arrival)).await??;
        let Prior::Claimed { file, side, .. } = prior else {
            anyhow::bail!("the ledger calls a file on the command line a duplicate; this is a defect");
        };
        Ok(Subject { file, digest, path: path.to_owned(), side_by_name: side, name, arrived: at })
    }
}

/// A file's place among the others: of two with the same bytes the first is graded, however fast the second was read.
struct Turn {
    before: oneshot::Receiver<()>,
    /// The next one's turn comes when this is dropped.
    next: Option<oneshot::Sender<()>>,
}

impl Turn {
    fn first() -> Self {
        // nobody holds the sender, so that nothing is waited for
        Self { before: oneshot::channel().1, next: None }
    }

    /// This turn, leaving the one behind it.
    fn pass_on(&mut self) -> Self {
        let (next, behind) = oneshot::channel();
        let before = std::mem::replace(&mut self.before, behind);
        Self { before, next: Some(next) }
    }

    /// Waits for it. The next one waits until the answer is dropped.
    async fn come(self) -> Option<oneshot::Sender<()>> {
        let _come = self.before.await;
        self.next
    }
}

async fn hash(path: PathBuf) -> anyhow::Result<std::io::Result<(Digest, u64)>> {
    Ok(tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((Digest::of_reader(file)?, bytes))
    })
    .await?)
}
