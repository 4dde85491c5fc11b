//! `kellgrend bench`

mod clock;
mod codings;
mod latency;
mod machine;
mod measured;
mod progress;
mod rates;
mod report;
mod training;

use super::{Exit, Failure, Global, models, start_log};
use crate::config::{LogLevel, Settings, Views};
use crate::ensemble::{DeviceInUse, Ensemble, LaunchPlan, Precision, settle};
use crate::grading::{IdentityPolicy, Imprint};
use crate::networks::{Architecture, Form};
use crate::outbox::record::ProgramFacts;
use crate::phantom::{grey8, knee};
use crate::side::Side;
use crate::station::decoders;
use clock::Clock;
use machine::{Machine, Memory};
use measured::Measured;
use progress::Progress;
use report::{EnsembleRates, Report};
use std::io::stdout;
use std::time::Duration;

/// Measure how fast this machine grades
///
/// Views a second of each network and of the ensemble, how long one knee takes from a file's bytes to its result, how
/// fast films of each coding are decoded, and the memory it all took. A knee is two views, or four for a member with a
/// zoom. The networks are untrained, since speed does not depend on what they have learnt: no release is needed, and
/// nothing is written. It takes a minute or two. Measure while nothing else runs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = report::FIELDS)]
pub(super) struct Bench {
    /// The networks to measure, each at its own image size; default: the published ensemble's eight
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', conflicts_with = "release")]
    networks: Vec<Architecture>,
    /// A release of the state folder to measure instead
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
    /// How long each measurement takes at least; default: 2 on a GPU, 1 on a CPU
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    seconds: Option<Duration>,
    /// Views that go through the networks together, each number measured; default: 32,64,128 on a GPU, 2 on a CPU; of training 32,64 and 8
    ///
    /// The best one counts; what does not fit into a GPU's memory is left out. Grading takes whole knees, two views
    /// each; what a member with a zoom sees besides goes through behind them.
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=4096))]
    batch: Vec<u32>,
    /// The numbers to compute in: auto, bf16, fp16 (on a GPU), fp32 or reference; default: the setting
    #[arg(long, value_name = "PRECISION")]
    precision: Option<Precision>,
    /// Members that compute side by side on a GPU; default: the setting
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=7))]
    streams: Option<u32>,
    /// Capture the launches for batches of up to so many knees on a GPU, and replay them; default: the setting
    #[arg(long, value_name = "KNEES", value_parser = clap::value_parser!(u32).range(0..=64))]
    capture: Option<u32>,
    /// Measure how fast networks learn instead: whole steps of training, from pictures on the device to changed weights
    #[arg(long, conflicts_with_all = ["release", "precision", "streams", "capture"])]
    training: bool,
    /// As a JSON object
    #[arg(long)]
    json: bool,
}

/// Enough for a hundred steps of most networks on a GPU; on a CPU, for a run that one waits for.
const SECONDS_ON_GPU: Duration = Duration::from_secs(2);
const SECONDS_ON_CPU: Duration = Duration::from_secs(1);

/// Which of these is best differs from GPU to GPU; a CPU's caches hold the feature maps of two views.
const BATCHES_ON_GPU: [u32; 3] = [32, 64, 128];
const BATCHES_ON_CPU: [u32; 1] = [2];

/// The batches that networks learn from, which a GPU's memory has room for.
const LEARNT_ON_GPU: [u32; 2] = [32, 64];
const LEARNT_ON_CPU: [u32; 1] = [8];

impl Bench {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.settings()?;
        start_log(global.log.unwrap_or(LogLevel::Warn));
        let measured = match &self.release {
            Some(name) => Measured::Release(Box::new(models::open(&global.load()?.1, name)?)),
            None if self.networks.is_empty() => Measured::Untrained(Architecture::ALL.to_vec()),
            None => Measured::Untrained(self.networks.clone()),
        };
        let device = settle(settings.ensemble.device, settings.ensemble.threads)?;
        if self.training {
            return self.learning(&device);
        }
        let form = self.precision.unwrap_or(settings.ensemble.precision).form(&device)?;
        let report = self.measure(&settings, &measured, &device, form)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            report.print(&mut stdout().lock())?;
        }
        Ok(Exit::Done)
    }

    fn measure(
        &self,
        settings: &Settings,
        measured: &Measured,
        device: &DeviceInUse,
        form: Form,
    ) -> anyhow::Result<Report> {
        let before = device.memory();
        let batches = self.batches(device);
        let limit = self.limit(device);
        let clock = Clock::new(limit, Some(device));
        let progress = Progress::of((measured.len() + 2) * batches.len() + 1 + codings::COUNT);

        let launches = self.launches(settings);
        let ensemble = measured
            .build(device, form)?
            .with_launches(launches, device)?
            .with_flipped_maps(settings.pictures.views == Views::Both)
            .with_member_maps(settings.pictures.need_members());
        let of_member = |member| rates::of_member(member, &batches, &clock, &progress);
        let networks = ensemble.members().iter().map(of_member).collect::<Result<Vec<_>, _>>()?;
        let clock = clock.going_on();
        let knee = grey8(&knee(1, Side::Right, 0.5));
        let of_grading =
            |what, ensemble: &Ensemble| rates::of_grading(what, ensemble, &knee, &batches, &clock, &progress);
        let with_maps = of_grading("grading with maps", &ensemble)?;
        progress.next("one knee from bytes to result");
        let imprint = Imprint {
            release: measured.facts(),
            program: ProgramFacts::this(format!("{device}, {}", Precision::of(form)), settings),
            identity: IdentityPolicy::of_nobody(),
            pictures: settings.pictures.style(),
        };
        let decoders = decoders(settings)?;
        // the first one is started before it is timed
        let _first = decoders.sandbox()?;
        let latency = latency::measure(&decoders, &ensemble, &imprint, &clock)?;
        let without_maps = of_grading("grading without maps", &ensemble.with_maps(false))?;
        let decode = codings::measure(&decoders, &Clock::new(limit, None), &progress)?;
        let views_per_second = rates::one_after_another(&networks);
        Ok(Report {
            schema_version: report::SCHEMA_VERSION,
            machine: Machine::this(device),
            precision: Precision::of(form).as_str(),
            streams: launches.streams,
            capture: launches.captured_knees,
            release: measured.release(),
            seconds: limit.as_secs_f64(),
            networks,
            ensemble: EnsembleRates { views_per_second, with_maps, without_maps },
            latency,
            decode,
            memory: Memory::since(before, device),
        })
    }

    fn learning(&self, device: &DeviceInUse) -> Result<Exit, Failure> {
        let limit = self.limit(device);
        let networks = if self.networks.is_empty() { &Architecture::ALL } else { self.networks.as_slice() };
        let batches = match self.batch.as_slice() {
            [] if device.device.is_cuda() => &LEARNT_ON_GPU[..],
            [] => &LEARNT_ON_CPU,
            named => named,
        };
        let report =
            training::measure(networks, batches, device, &Clock::new(limit, Some(device)), limit.as_secs_f64())?;
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&report)?),
            false => report.print(&mut stdout().lock())?,
        }
        Ok(Exit::Done)
    }

    fn limit(&self, device: &DeviceInUse) -> Duration {
        self.seconds.unwrap_or(if device.device.is_cuda() { SECONDS_ON_GPU } else { SECONDS_ON_CPU })
    }

    fn launches(&self, settings: &Settings) -> LaunchPlan {
        let LaunchPlan { streams, captured_knees } = settings.ensemble.launches();
        LaunchPlan {
            streams: self.streams.map_or(streams, |streams| streams as usize),
            captured_knees: self.capture.map_or(captured_knees, |knees| knees as usize),
        }
    }

    fn batches(&self, device: &DeviceInUse) -> Vec<u32> {
        match self.batch.as_slice() {
            [] if device.device.is_cuda() => BATCHES_ON_GPU.to_vec(),
            [] => BATCHES_ON_CPU.to_vec(),
            named => named.to_vec(),
        }
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number from 0.01 to 3600 is meant".to_owned())
}
