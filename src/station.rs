//! The reading station: folders, ledger, release and networks, put together from settings.
//!
//! What the daemon and `kellgrend grade` share.

use crate::config::{EnsembleSettings, Radiographs, Settings, Views};
use crate::decoding::{self, Budget, Decoders};
use crate::ensemble::device::GPU;
use crate::ensemble::{DeviceChoice, DeviceInUse, Ensemble, Precision, Release, settle, starter};
use crate::gauges::Gauges;
use crate::grading::{Context, Grader, Grading, IdentityPolicy, Imprint};
use crate::ledger::{Ledger, ReleaseRow, Service, StartId, StartRow, has_results_of_another};
use crate::networks::Form;
use crate::outbox::publish::sweep;
use crate::outbox::record::{ProgramFacts, ReleaseFacts};
use crate::radiograph::Limits;
use crate::state::{Lock, State};
use anyhow::Context as _;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

/// A release that cannot be taken up is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// Everything that grading needs, ready.
pub struct Station {
    /// The folders.
    pub state: State,
    /// The ledger, migrated.
    pub ledger: Ledger,
    /// What is counted of the work, at all desks.
    pub gauges: Arc<Gauges>,
    settings: Settings,
    command: &'static str,
    /// Where the networks run.
    pub device: DeviceInUse,
    /// The GPU that graded here before, where the CPU had to take its place.
    pub gpu_before: Option<String>,
    /// Where radiographs are graded now.
    desk: RwLock<Arc<Desk>>,
    /// Since when a release is in service that could not be taken up, and when that was tried.
    refused: Mutex<Option<(String, Instant)>>,
    _lock: Lock,
}

/// One release at work. Another release has another desk: what one has begun it ends.
pub struct Desk {
    /// This start's id; the next desk is a start of its own.
    pub start: StartId,
    /// The release that grades.
    pub release: Release,
    /// Members that could not be loaded, and without which it grades.
    pub missing: usize,
    /// The device and the numbers it computes in, in words.
    pub device: String,
    /// Takes radiographs all the way.
    pub grading: Grading,
    /// Radiographs worth having on their way at a time: enough to fill the next batch while one is computed.
    pub in_flight: usize,
}

impl Station {
    /// Take the state folder, open the ledger, settle on a device, load the release. Any failure is a reason not to
    /// start, in words.
    pub fn open(settings: &Settings, state: State, command: &'static str) -> anyhow::Result<Self> {
        state.create()?;
        let lock = state.lock()?;
        let ledger = Ledger::open(&state.ledger)?;
        let swept = sweep(&state.outbox)?;
        if swept > 0 {
            tracing::info!("removed {swept} unfinished result(s) of an earlier start from the outbox");
        }
        // The device comes before anything else that calls torch: asked for a GPU too early, torch remembers "no".
        let device = settle(settings.ensemble.device, settings.ensemble.threads)?;
        let release = take_release(&settings.ensemble.release, &state, &ledger)?;
        if let Some(remark) = &device.remark {
            tracing::info!("{remark}");
        }
        let gpu_before = match settings.ensemble.device {
            DeviceChoice::Auto if !device.device.is_cuda() => ledger.last_device(GPU)?,
            _ => None,
        };
        let gauges = Arc::new(Gauges::new(settings.grading.hang_after));
        let desk = Desk::new(release, settings, &state, &ledger, &gauges, &device, command)?;
        Ok(Self {
            state,
            ledger,
            gauges,
            settings: settings.clone(),
            command,
            device,
            gpu_before,
            desk: RwLock::new(Arc::new(desk)),
            refused: Mutex::default(),
            _lock: lock,
        })
    }

    /// Where radiographs are graded now.
    pub fn desk(&self) -> Arc<Desk> {
        self.desk.read().expect("no holder panics").clone()
    }

    /// Takes up the release in service where it is another than the one at work, and says its name. Where that fails the one at
    /// work stays, and it is tried again some minutes later.
    ///
    /// A release that the settings name is never left.
    pub fn follow_service(&self) -> anyhow::Result<Option<String>> {
        let Some(service) = self.ledger.in_service()?.filter(|_| self.settings.ensemble.release.is_empty()) else {
            return Ok(None);
        };
        let is_at_work = service.sha256 == self.desk().release.digest().to_string();
        let is_refused = |(since, at): &(String, Instant)| *since == service.since && at.elapsed() < AGAIN_AFTER;
        if is_at_work || self.refused.lock().expect("no holder panics").as_ref().is_some_and(is_refused) {
            return Ok(None);
        }
        let desk = take_release("", &self.state, &self.ledger).and_then(|release| {
            let Self { settings, state, ledger, gauges, device, command, .. } = self;
            Desk::new(release, settings, state, ledger, gauges, device, command)
        });
        let refused = || Some((service.since.clone(), Instant::now()));
        let desk = desk.inspect_err(|_| *self.refused.lock().expect("no holder panics") = refused())?;
        *self.desk.write().expect("no holder panics") = Arc::new(desk);
        Ok(Some(service.name))
    }
}

impl Desk {
    fn new(
        release: Release,
        settings: &Settings,
        state: &State,
        ledger: &Ledger,
        gauges: &Arc<Gauges>,
        device: &DeviceInUse,
        command: &'static str,
    ) -> anyhow::Result<Self> {
        let decoders = decoders(settings)?;
        // a machine where no decoder starts grades nothing: better said now
        tracing::info!("radiographs are decoded apart, with {}", decoders.sandbox()?);
        let form = settings.ensemble.precision.form(device)?;
        let ensemble = ready(&release, &settings.ensemble, device, form)?
            .with_maps(settings.pictures.draw)
            .with_flipped_maps(settings.pictures.views == Views::Both)
            .with_member_maps(settings.pictures.need_members());
        // grades of other numbers may differ, so that the answer says which made it
        let device = format!("{device}, {}", Precision::of(form));
        tracing::info!(device, release = release.name(), members = ensemble.members().len(), "ready to grade");
        for absent in ensemble.absent() {
            tracing::warn!(member = absent.name, "missing, and the quorum lets the others grade: {}", absent.reason);
        }

        let missing = ensemble.absent().len();
        let start_row = StartRow {
            command,
            device: device.clone(),
            settings: settings.to_toml(),
            missing: ensemble.absent().iter().map(|absent| absent.name.clone()).collect(),
        };
        let program = ProgramFacts::this(device.clone(), settings);
        let start = ledger.started(start_row)?;
        let context = Context {
            ledger: ledger.clone(),
            start,
            outbox: state.outbox.clone(),
            decoders,
            imprint: Imprint {
                release: ReleaseFacts {
                    name: release.name().to_owned(),
                    digest: release.digest(),
                    vote: release.vote().to_string(),
                },
                program,
                identity: IdentityPolicy::new(settings.identity.keep, &state.root, ledger.has_pseudonyms()?)?,
                pictures: settings.pictures.style(),
            },
            gauges: gauges.clone(),
        };
        let batch = ensemble.knees_at_once();
        // one batch waits while another is computed; where they overlap, a third is drawn and published
        let batches = if ensemble.overlaps(batch) { 3 } else { 2 };
        let jobs = settings.grading.jobs();
        let grader = Grader::start(ensemble, batch, settings.ensemble.batch_wait, gauges.clone());
        let grading = Grading::new(context, grader, jobs, settings.grading.memory.as_u64());
        Ok(Self { start, release, missing, device, grading, in_flight: batches * batch + jobs })
    }
}

/// A release's networks, loaded and set up as `[ensemble]` says; on a GPU tried out, too.
pub fn ready(
    release: &Release,
    settings: &EnsembleSettings,
    device: &DeviceInUse,
    form: Form,
) -> anyhow::Result<Ensemble> {
    let ensemble = Ensemble::load(release, device, form, settings.quorum)?;
    if settings.batch > 0 {
        ensemble.set_batch(settings.batch);
    }
    let try_out = |ensemble: &Ensemble| match device.device.is_cuda() {
        true => ensemble.try_out().context("the networks cannot run on the GPU; `--device cpu` does without it"),
        false => Ok(()),
    };
    // first the kernels, then streams and recordings
    try_out(&ensemble)?;
    let ensemble = ensemble.with_launches(settings.launches(), device)?;
    try_out(&ensemble)?;
    Ok(ensemble)
}

/// How much one file may ask for, by `[radiographs]`.
pub fn limits(settings: &Settings) -> Limits {
    let &Radiographs { max_file, max_pixels, max_side, .. } = &settings.radiographs;
    Limits { max_bytes: max_file.as_u64(), max_pixels, max_side }
}

/// What decodes, within `[radiographs]`.
pub fn decoders(settings: &Settings) -> io::Result<Decoders> {
    let &Radiographs { decode_memory, decode_time, .. } = &settings.radiographs;
    let budget = Budget { limits: limits(settings), memory: decode_memory.as_u64(), time: decode_time };
    Ok(Decoders::new(decoding::program()?, budget))
}

/// The release that settings name, else the one in service; none where nothing was ever put into service.
pub fn chosen_release(named: &str, models: &Path, service: Option<&Service>) -> anyhow::Result<Option<Release>> {
    if !named.is_empty() {
        let release = Release::named(models, named).with_context(|| {
            format!("the release {named:?} cannot be used (`kellgrend models list` shows what is there)")
        })?;
        return Ok(Some(release));
    }
    let Some(service) = service else { return Ok(None) };
    let name = &service.name;
    let release =
        Release::named(models, name).with_context(|| format!("the release in service, {name:?}, cannot be used"))?;
    anyhow::ensure!(
        release.digest().to_string() == service.sha256,
        "the release {name:?} is not the one that was put into service: its release.toml has changed since. Restore \
         it, or give it another name, in release.toml and as its folder's, and promote that with `kellgrend models promote`"
    );
    Ok(Some(release))
}

/// The chosen release without a trace: where none was ever put into service, the starter from a folder that goes with the
/// second value.
pub fn release_to_try(named: &str, state: &State) -> anyhow::Result<(Release, Option<tempfile::TempDir>)> {
    let service = if named.is_empty() { Service::of(&state.ledger)? } else { None };
    if let Some(release) = chosen_release(named, &state.models, service.as_ref())? {
        return Ok((release, None));
    }
    let folder = tempfile::tempdir().context("no folder for temporary files")?;
    Ok((starter::install(folder.path())?, Some(folder)))
}

/// The chosen release, known to the ledger; on a first start the starter, put into service.
pub fn take_release(named: &str, state: &State, ledger: &Ledger) -> anyhow::Result<Release> {
    if named == starter::NAME {
        // it comes with the program, and may not have been used yet
        starter::install(&state.models)?;
    }
    match chosen_release(named, &state.models, ledger.in_service()?.as_ref())? {
        Some(release) => {
            if !named.is_empty() {
                check_name(&release, &state.ledger)?;
            }
            ledger.know_release(release_row(&release))?;
            Ok(release)
        }
        None => {
            let release = starter::install(&state.models)?;
            let why = "first start: the starter release".into();
            ledger.put_in_service(release_row(&release), "kellgrend".into(), why)?;
            Ok(release)
        }
    }
}

/// Refuses a release whose name another one has that has graded here: results bear the name.
pub fn check_name(release: &Release, ledger: &Path) -> anyhow::Result<()> {
    let name = release.name();
    anyhow::ensure!(
        !has_results_of_another(&Ledger::read(ledger)?, name, release.digest())?,
        "another release called {name:?} has graded radiographs here, whose results this one's would take the place of; give it a name \
         of its own: that of its folder in models/, and `name` in its release.toml"
    );
    Ok(())
}

/// A release as the ledger notes it.
pub fn release_row(release: &Release) -> ReleaseRow {
    ReleaseRow {
        sha256: release.digest().to_string(),
        name: release.name().to_owned(),
        vote: release.vote().to_string(),
        members: release.members().len(),
        manifest: release.manifest().to_owned(),
    }
}
