//! `kellgrend evaluate`

mod examples;
mod judging;
mod report;

use super::labelled::{in_archive, in_paths};
use super::{Exit, Failure, Global, progress, runtime, start_log, usage};
use crate::card::words::counted;
use crate::card::{self, Card};
use crate::config::{Identity, LogLevel};
use crate::ensemble::{Precision, Release, settle};
use crate::evaluation::{Case, numbered};
use crate::grading::{Grader, IdentityPolicy};
use crate::state::State;
use crate::station::{decoders, ready, release_to_try};
use crate::training::examination::Examined;
use crate::training::parent::Learnt;
use crate::training::report::member as card_member;
use anyhow::Context as _;
use judging::Judged;
use report::{ReleaseFacts, Report};
use std::io::stdout;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Measure a release on radiographs whose grades are known
///
/// The folder that a file lies in says its grade: 0 to 4, KL0, kl_3, "grade 2" or 3_moderate, as the public collections of
/// knees are laid out. Others are passed over. Each file shows one knee; two knees of one patient are known by the
/// patient ID, by names such as 9001695L and 9001695R, or by their study. With --labels, the grades are those of the
/// ledger's readers instead; the archive keeps no names, so that pictures without a patient ID are known by what the
/// ledger keeps of their names ([identity]), by their study, or count as patients of their own. Nothing is written but
/// the card that --card asks for: neither to the ledger nor to the outbox.
#[derive(Debug, clap::Args)]
#[command(after_long_help = report::FIELDS)]
pub(super) struct Evaluate {
    /// Radiographs, folders of them (searched through, but for links in them), or globs
    #[arg(required_unless_present = "labels", conflicts_with = "labels", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The graded knees whose readers agree, from the archive of the state folder, instead of paths
    #[arg(long)]
    labels: bool,
    /// The release to measure, instead of the one in service
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
    /// What decides which patients are drawn for the 95 % intervals
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// As a JSON object
    #[arg(long)]
    json: bool,
    /// Write a model card of what was found as well: a page to read, with pictures of some of the knees, and beside it the same
    /// as .json
    #[arg(long, value_name = "FILE.html")]
    card: Option<PathBuf>,
}

/// How many of the knees are of patients that the release has learnt from: of them it says what it knows by heart. None where nobody
/// knows: no run here made it or what it began from, or that cannot be read.
fn known(state: &State, keep: Identity, release: &Release, judged: &[Judged]) -> Option<usize> {
    let name = release.name();
    let (maker, learnt) = match Learnt::by(&state.training, release) {
        Ok(known) => known,
        Err(error) => {
            eprintln!("whether {name} has learnt from these knees cannot be read: {error:#}");
            return None;
        }
    };
    // without the key that it was called by, nobody has a name
    let identity = IdentityPolicy::new(keep, &state.root, true).unwrap_or_else(|_| IdentityPolicy::of_nobody());
    let is_known = |knee: &&Judged| {
        let kept = identity.of_patient(&knee.patient).filter(|_| knee.is_named);
        learnt.folds.of_film(&knee.digest, kept.as_deref()).is_some()
    };
    let known = judged.iter().filter(is_known).count();
    if known > 0 {
        eprintln!(
            "{name} has learnt from {known} of these knees' patients, and is flattered where it is judged on them"
        );
    }
    let is_all_known = maker.is_some() && learnt.ancestor.is_none();
    (is_all_known || known > 0).then_some(known)
}

/// The card is a page, and its JSON lies beside it: not where the answer goes.
fn check_card(card: &Path) -> anyhow::Result<()> {
    let is_page = card.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
    anyhow::ensure!(is_page, "--card {}: a card is a page; let its name end in .html", card.display());
    let folder = card.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder)
        .with_context(|| format!("--card {}: nothing can be written there", card.display()))?;
    let json = card.with_extension("json");
    if let (Ok(beside), Ok(answer)) = (std::fs::metadata(&json), rustix::fs::fstat(stdout())) {
        let is_same = (beside.dev(), beside.ino()) == (answer.st_dev, answer.st_ino);
        anyhow::ensure!(
            !is_same,
            "{} is where the answer goes, and where the card's JSON would; name one otherwise",
            json.display()
        );
    }
    Ok(())
}

impl Evaluate {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        start_log(global.log.unwrap_or(LogLevel::Warn));
        self.card.as_deref().map_or(Ok(()), check_card).map_err(usage)?;
        let (files, mut gone, others) = match self.labels {
            true => in_archive(&state).map(|(files, gone)| (files, gone, 0))?,
            false => in_paths(&self.paths, &state)?,
        };
        if others > 0 {
            eprintln!("passed over {}, whose folders say no grade", counted(others as u64, "file"));
        }
        let device = settle(settings.ensemble.device, settings.ensemble.threads)?;
        let named = self.release.as_deref().unwrap_or(&settings.ensemble.release);
        let (release, _folder) = release_to_try(named, &state)?;
        let form = settings.ensemble.precision.form(&device)?;
        // a map for every knee of an archive would be more than memory holds: the few that are shown are graded again
        let ensemble = ready(&release, &settings.ensemble, &device, form)?.with_maps(false);
        let members: Vec<_> = ensemble.members().iter().map(|member| member.name().to_owned()).collect();
        let missing: Vec<_> = ensemble.absent().iter().map(|absent| absent.name.clone()).collect();
        let (batch, jobs) = (ensemble.knees_at_once(), settings.grading.jobs());
        let grader = Arc::new(Grader::start(ensemble, batch, settings.ensemble.batch_wait, Arc::default()));
        let progress = progress::bar(files.len());
        let judging = judging::judge(files, grader.clone(), decoders(&settings)?, jobs, 3 * batch + jobs, &progress);
        let (judged, mut passed) = runtime()?.block_on(judging)?;
        progress.finish_and_clear();
        passed.append(&mut gone);
        for file in &passed {
            eprintln!("passed over {file}");
        }
        let facts = ReleaseFacts {
            name: release.name().to_owned(),
            sha256: release.digest().to_string(),
            vote: release.vote().to_string(),
            missing: missing.clone(),
        };
        let is_whole = passed.is_empty();
        let known = known(&state, settings.identity.keep, &release, &judged);
        let patients = numbered(judged.iter().map(|knee| knee.patient.as_str()));
        let (files, graded): (Vec<_>, _) = judged.into_iter().map(|Judged { file, graded, .. }| (file, graded)).unzip();
        let examined = Examined { patients, truths: files.iter().map(|file| file.truth).collect(), graded };
        let (voters, patients) = (examined.voters(&members), examined.patients.iter().max().map_or(0, |last| last + 1));
        let computed_on = format!("{device}, {}", Precision::of(form));
        let report = Report::new(facts, computed_on, &voters, patients, known, passed, self.seed);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            report.print(&mut stdout().lock())?;
        }
        if let Some(path) = &self.card {
            let ensemble = Arc::into_inner(grader).and_then(Grader::into_ensemble);
            let ensemble = ensemble.context("the networks are gone")?.with_maps(true);
            let shown = examined.telling().into_iter().map(|index| &files[index]);
            let examples = examples::examples(shown, &ensemble, &decoders(&settings)?, release.name())?;
            let card = Card { examples, ..self.to_card(&release, &missing, voters, patients, known) };
            let write = |path: &Path, text: String| {
                std::fs::write(path, text).with_context(|| format!("the card cannot be written to {}", path.display()))
            };
            write(path, card.html())?;
            write(&path.with_extension("json"), card.json())?;
            eprintln!("card       {}, and its numbers in {}", path.display(), path.with_extension("json").display());
        }
        Ok(if is_whole { Exit::Done } else { Exit::Refused })
    }

    /// What was found as a card: of the release itself no more is known than it says.
    fn to_card(
        &self,
        release: &Release,
        missing: &[String],
        voters: Vec<(String, Vec<Case>)>,
        patients: usize,
        known: Option<usize>,
    ) -> Card {
        let knees = voters.first().map_or(0, |(_, cases)| cases.len());
        let whose = if self.labels { "the archive, as its readers grade it" } else { "labelled folders" };
        let mut on = format!("{whose}: {knees} knees of {patients} patients");
        if !missing.is_empty() {
            on += &format!("; without {}, which did not vote", missing.join(", "));
        }
        match known {
            None => on += "; nobody knows whether it has learnt from their patients",
            Some(0) => {}
            Some(known) => on += &format!("; it has learnt from the patients of {known} of them, and is flattered"),
        }
        Card {
            schema_version: card::SCHEMA_VERSION,
            release: card::Release {
                name: release.name().to_owned(),
                sha256: Some(release.digest().to_string()),
                created: format!("{:.0}", release.created()),
                vote: release.vote().to_string(),
                note: release.provenance().note.clone(),
            },
            members: release
                .members()
                .filter(|member| !missing.iter().any(|absent| absent == member.name()))
                .map(|member| card_member(member.entry()))
                .collect(),
            data: None,
            recipe: Vec::new(),
            curves: Vec::new(),
            results: card::Results::of(on, voters, self.seed).into_iter().collect(),
            comparison: None,
            review: None,
            subsets: Vec::new(),
            examples: Vec::new(),
        }
    }
}
