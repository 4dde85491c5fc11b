//! A run is begun: files are read, the set is frozen, the plan is written.

use super::super::{Failure, progress, usage};
use super::Shop;
use crate::card::words::counted;
use crate::cli::labelled::{in_archive, in_paths};
use crate::cli::table::aligned;
use crate::dataset::{Labelled, Passed};
use crate::digest::Digest;
use crate::ensemble::Release;
use crate::grading::IdentityPolicy;
use crate::networks::{Architecture, imagenet};
use crate::station::{decoders, take_release};
use crate::training::folds::FoldsError;
use crate::training::parent::{self, Learnt, Wanted};
use crate::training::plan::{Champion, Plan};
use crate::training::recipe::{Recipe, RecipeName, Start, overlay, side_of};
use crate::training::run::Run;
use crate::training::set::{Dealing, Folds, GoldSet, Knee, Place, TrainingSet, freeze};
use anyhow::Context as _;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// What begins a run.
#[derive(Debug, clap::Args)]
pub(super) struct Begin {
    /// Radiographs in folders named after their grades, folders of such folders, or globs
    #[arg(required_unless_present_any = ["labels", "run"], value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Learn from the graded knees whose readers agree, from the archive of the state folder
    #[arg(long, conflicts_with = "paths")]
    labels: bool,
    /// The name of the run and of its release; default: the date and time
    #[arg(long)]
    name: Option<String>,
    /// Never learn from these: labelled radiographs, or a file with a SHA-256 a line; default: [training] gold_share
    #[arg(long, value_name = "PATH")]
    gold: Option<PathBuf>,
    /// How networks are trained; default: [training] recipe
    #[arg(long, value_enum)]
    recipe: Option<RecipeName>,
    /// Change a number of the recipe, as in epochs=5 or augmentation.rotation=10; several times for several
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where chance begins; default: [training] seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// What the command's other options ask of a run.
pub(super) struct Asked<'a> {
    pub(super) networks: &'a [Architecture],
    pub(super) only_folds: &'a [usize],
    pub(super) promote: bool,
}

impl Begin {
    /// Begins it, and says so.
    pub(super) fn run(&self, shop: &Shop, Asked { networks, only_folds, promote }: Asked<'_>) -> Result<Run, Failure> {
        let training = &shop.settings.training;
        let recipe = self.recipe(shop).map_err(usage)?;
        let champion = take_release(&shop.settings.ensemble.release, &shop.state, &shop.ledger)?;
        // what it is held against in the end had better be whole now; with a quorum it may grade without being so
        champion.members().try_for_each(|member| member.bytes().map(drop)).map_err(anyhow::Error::from)?;
        let networks = [networks, &training.networks].into_iter().find(|named| !named.is_empty());
        let mut networks = networks.map_or_else(|| architectures(&champion), <[_]>::to_vec);
        let mut named = HashSet::new();
        networks.retain(|network| named.insert(*network));
        let is_zoom_open = recipe.zoom == 0.0;
        let recipe = recipe.going_on_from(&champion, &networks);
        let from_afar = champion.members().find(|member| member.entry().zoom < recipe.zoom);
        if let Some(member) = from_afar.filter(|_| is_zoom_open) {
            shop.warn(format!(
                "all networks will look twice, as not all do in {}, {} for one: it takes twice the time; --set zoom=1 does without",
                champion.name(),
                member.name()
            ));
        }
        for &network in networks.iter().filter(|_| recipe.start == Start::Release && recipe.image_size == 0) {
            let (before, now) = (side_of(network, &champion), network.image_size());
            if before != now {
                let name = champion.name();
                shop.warn(format!(
                    "{network} looks at {before} pixels in {name}, and learns and grades at {now} from here on; image_size can say \
                     otherwise"
                ));
            }
        }
        let mut fitted_folds = if only_folds.is_empty() { (1..=training.folds).collect() } else { only_folds.to_vec() };
        fitted_folds.sort_unstable();
        fitted_folds.dedup();
        if let Some(fold) = fitted_folds.iter().find(|fold| !(1..=training.folds).contains(fold)) {
            return Err(usage(anyhow::anyhow!(
                "there is no fold {fold}: there are {}, counted from 1",
                training.folds
            )));
        }
        if recipe.start == Start::Imagenet {
            check_imagenet(&networks, shop).map_err(usage)?;
        }
        // a label that comes while files are looked for is of the next run
        let created = jiff::Timestamp::now();
        let (files, mut gold, data) = self.files(shop)?;
        let seed = self.seed.unwrap_or(training.seed);
        let name = self.name.clone().unwrap_or_else(|| created.strftime("run-%Y-%m-%d-%H%M%S").to_string());
        // a run gives its name to a release: what would be refused at its end is refused at its beginning
        let is_known = shop.ledger.knows_run_or_release(name.clone())?;
        check_name(&name, is_known, shop).map_err(usage)?;
        let folds = training.folds;
        let wanted = Wanted { networks: &networks, folds, fitted_folds: &fitted_folds };
        let (maker, learnt) = match Learnt::by(&shop.state.training, &champion) {
            // an old run that cannot be read keeps nobody from beginning anew
            Err(error) if recipe.start != Start::Release => {
                let name = champion.name();
                shop.warn(format!("whom {name} has learnt from cannot be read, and some may be gold now: {error:#}"));
                (None, Learnt::default())
            }
            learnt => learnt
                .with_context(|| {
                    let name = champion.name();
                    format!(
                        "whom {name} has learnt from cannot be read, and what goes on from it must leave out the same patients; \
                         --recipe scratch begins anew"
                    )
                })
                .map_err(usage)?,
        };
        let is_known = maker.is_some() && learnt.ancestor.is_none();
        let parent = match maker.filter(|_| recipe.start == Start::Release) {
            Some(maker) => match parent::lack(&maker, &wanted)? {
                None => Some(maker),
                Some(lack) => {
                    let (name, champion) = (maker.plan.name, champion.name());
                    shop.warn(format!(
                        "patients do not stay in the folds of the run {name}, since {lack}: the networks go on from {champion}, and may \
                         know whom they leave out"
                    ));
                    None
                }
            },
            None => None,
        };
        for network in networks.iter().filter(|_| recipe.start == Start::Release) {
            let runs = parent.iter().flat_map(|parent| &parent.plan.networks).copied();
            if !runs.chain(architectures(&champion)).any(|known| known == *network) {
                shop.warn(format!(
                    "{network} begins from nothing: the release {} has no such network",
                    champion.name()
                ));
            }
        }
        let ancestor = match &parent {
            Some(_) => learnt.ancestor,
            None => (recipe.start == Start::Release).then(|| champion.name().to_owned()),
        };
        let keep = shop.settings.identity.keep;
        let identity = IdentityPolicy::new(keep, &shop.state.root, shop.ledger.has_pseudonyms()?)?;
        let bar = progress::bar(files.len() + gold.files.len());
        let jobs = shop.settings.grading.jobs();
        gold.known = learnt.folds.clone();
        let kept = if parent.is_some() { learnt.folds } else { Folds::default() };
        let dealing = Dealing { folds, seed, kept };
        let keep = |patient: &str| identity.of_patient(patient);
        let frozen = freeze(&files, &gold, &dealing, &decoders(&shop.settings)?, jobs, keep, || bar.inc(1));
        bar.finish_and_clear();
        // what the machine could not read may be there another time
        let (set, passed) = frozen.map_err(|error| match error.is::<FoldsError>() {
            true => usage(error),
            false => Failure::Start(error),
        })?;
        left_out(&passed, shop);
        if let Some(path) = self.gold.as_ref().filter(|_| set.gold().is_empty()) {
            return Err(usage(anyhow::anyhow!("--gold {}: none of the knees is in it", path.display())));
        }
        Self::remark(&set, &gold, shop);
        let known = set.gold().into_iter().filter(|knee| gold.known.of(knee).is_some());
        let known: BTreeSet<&str> = known.map(|knee| knee.patient.as_str()).collect();
        let known_gold = set.gold().into_iter().filter(|knee| known.contains(knee.patient.as_str())).count();
        if known_gold > 0 {
            let name = champion.name();
            shop.warn(format!(
                "{name} has learnt from {known_gold} of the gold knees, and is flattered where the two are compared"
            ));
        }
        // gold knees, and what could not be used, are among the data
        let learnt = set.learnt().count();
        let data = if learnt == files.len() { data } else { format!("{learnt} of {data}") };
        let tables = set.to_csv()?;
        let plan = Plan {
            name,
            created,
            origin: if shop.unattended { "schedule" } else { "command line" }.to_owned(),
            data,
            of_labels: self.labels,
            knees: Digest::of(&tables.knees),
            seed,
            networks,
            folds,
            fitted_folds,
            vote: training.vote,
            champion: Champion { name: champion.name().to_owned(), sha256: champion.digest().to_string(), is_known },
            parent: parent.map(|parent| parent.plan.name),
            ancestor,
            known_gold,
            promote: promote || shop.unattended && training.promote,
            recipe,
            choice: training.choice,
            gate: training.gate,
        };
        let run = Run::create(&shop.state.training, plan, &tables)?;
        match shop.unattended {
            true => tracing::info!(run = run.plan.name, knees = set.knees.len(), "a training begins"),
            false => eprintln!("run {} in {}\n\n{}\n", run.plan.name, run.folder().display(), shares(&set)),
        }
        Ok(run)
    }

    /// What somebody would want to know before it takes its hours.
    fn remark(set: &TrainingSet, gold: &GoldSet, shop: &Shop) {
        let (say, wanted) = (|words: String| shop.warn(words), shop.settings.training.gate.patients);
        let nameless = set.knees.iter().filter(|knee| knee.is_nameless()).count();
        if nameless > 0 {
            say(format!("{nameless} knees name no patient, and count as patients of their own"));
        }
        let patients: HashSet<&str> = set.gold().into_iter().map(|knee| knee.patient.as_str()).collect();
        if patients.len() < wanted {
            let have = patients.len();
            say(format!(
                "the gold set has {have} patients, and the gate lets nothing pass on fewer than {wanted} ([training.gate])"
            ));
        }
        let of_set: HashSet<Digest> = set.knees.iter().map(|knee| knee.radiograph).collect();
        let strange = gold.radiographs.iter().filter(|radiograph| !of_set.contains(radiograph)).count();
        if strange > 0 {
            say(format!("{strange} of the {} that --gold lists are of no knee here", gold.radiographs.len()));
        }
        let splits: BTreeSet<&str> =
            set.knees.iter().filter(|knee| knee.place != Place::Gold).filter_map(split_of).collect();
        if splits.len() > 1 {
            let splits = Vec::from_iter(splits).join(", ");
            say(format!("the folders {splits} are learnt from alike; --gold FOLDER keeps one apart"));
        }
    }

    fn recipe(&self, shop: &Shop) -> anyhow::Result<Recipe> {
        let training = &shop.settings.training;
        let mut changes = training.adjust.clone();
        for word in &self.set {
            let change: toml::Table = word.parse().or_else(|_| {
                // words need no quotation marks on a command line
                let (key, value) = word.split_once('=').unwrap_or((word, ""));
                format!("{key} = {value:?}").parse()
            })?;
            overlay(&mut changes, &change);
        }
        Ok(self.recipe.unwrap_or(training.recipe).adjusted(&changes)?)
    }

    /// What to learn from, what never to learn from, and both in words.
    fn files(&self, shop: &Shop) -> Result<(Vec<Labelled>, GoldSet, String), Failure> {
        let mut gold = GoldSet { share: shop.settings.training.gold_share, ..GoldSet::default() };
        if let Some(path) = &self.gold {
            gold.share = 0.0;
            match path.is_dir() {
                true => gold.files = labelled(std::slice::from_ref(path), shop)?,
                false => gold.radiographs = listed(path).map_err(usage)?,
            }
        }
        if self.labels {
            let (files, gone) = in_archive(&shop.state)?;
            left_out(&gone, shop);
            let data = format!("{} knees of this installation's archive, as their readers grade them", files.len());
            return Ok((files, gold, data));
        }
        let files = labelled(&self.paths, shop)?;
        // names of files and folders may name patients
        let data = format!("{} radiographs in folders that say their grades", files.len());
        Ok((files, gold, data))
    }
}

fn left_out(passed: &[Passed], shop: &Shop) {
    passed.iter().for_each(|file| shop.warn(format!("left out {file}")));
}

/// Labelled files in folders; what is no use there is said.
fn labelled(paths: &[PathBuf], shop: &Shop) -> Result<Vec<Labelled>, Failure> {
    let (files, unreadable, others) = in_paths(paths, &shop.state)?;
    left_out(&unreadable, shop);
    if others > 0 {
        shop.warn(format!("left out {}, whose folders say no grade", counted(others as u64, "file")));
    }
    Ok(files)
}

fn listed(path: &Path) -> anyhow::Result<BTreeSet<Digest>> {
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    // as sha256sum writes it, or a spreadsheet with a line of names
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let lines =
        lines.map(|(number, line)| (number, line.trim().split([' ', ',', ';', '\t']).next().unwrap_or_default()));
    let lines =
        lines.filter(|(number, word)| !(word.is_empty() || *number == 0 && word.eq_ignore_ascii_case("sha256")));
    let digest = |(number, line): (usize, &str)| {
        let wrong = |_| anyhow::anyhow!("{} line {}: no SHA-256 (64 hexadecimal digits)", path.display(), number + 1);
        line.trim().parse().map_err(wrong)
    };
    lines.map(digest).collect()
}

/// The folder above a knee's grade, where it is named as public collections name their parts.
fn split_of(knee: &Knee) -> Option<&str> {
    let name = knee.path.parent()?.parent()?.file_name()?.to_str()?;
    ["train", "val", "valid", "validation", "test", "auto_test"]
        .contains(&name.to_ascii_lowercase().as_str())
        .then_some(name)
}

/// The networks of a release, each once.
fn architectures(release: &Release) -> Vec<Architecture> {
    let members: Vec<_> = release.members().map(|member| member.entry().architecture).collect();
    Architecture::ALL.into_iter().filter(|architecture| members.contains(architecture)).collect()
}

/// What would fail fit by fit.
fn check_imagenet(networks: &[Architecture], shop: &Shop) -> anyhow::Result<()> {
    let files = imagenet::FILES.iter().filter(|file| networks.contains(&file.architecture));
    let missing: Vec<_> = files.map(|file| file.file).filter(|file| !shop.state.imagenet.join(file).exists()).collect();
    let (folder, state) = (shop.state.imagenet.display(), shop.state.root.display());
    anyhow::ensure!(
        missing.is_empty(),
        "the recipe begins from ImageNet's weights, and {folder} has no {}; `kellgrend models download --state {state}` fetches them",
        missing.join(", no ")
    );
    Ok(())
}

fn check_name(name: &str, is_known: bool, shop: &Shop) -> anyhow::Result<()> {
    crate::ensemble::release::plain_name(name).map_err(anyhow::Error::msg)?;
    for (what, folder) in [("run", &shop.state.training), ("release", &shop.state.models)] {
        anyhow::ensure!(!folder.join(name).exists(), "there is a {what} {name} already; choose another --name");
    }
    // results and curves bear the names of releases and runs that were removed
    anyhow::ensure!(!is_known, "the ledger knows a run or a release {name} that was removed; choose another --name");
    Ok(())
}

/// The folds as a table.
fn shares(set: &TrainingSet) -> String {
    let rows = set.shares().into_iter().map(|share| {
        let counts = [share.patients, share.knees.iter().sum()].into_iter().chain(share.knees);
        std::iter::once(share.place.to_string()).chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()
    });
    aligned(&["", "PATIENTS", "KNEES", "KL 0", "KL 1", "KL 2", "KL 3", "KL 4"], rows)
}
