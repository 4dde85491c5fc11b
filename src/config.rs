//! Settings: what was typed -> what is valid.
//!
//! One small struct for each concern, each with its defaults; `config/kellgrend.toml` documents every key.
//! Errors come from the TOML reader with line, column and the legal names.

mod choices;
mod http;
mod mail;
mod retention;
mod source;
mod training;

pub use choices::{Identity, LogFormat, LogLevel, MeanOf, Pattern, Views};
pub use http::{Http, Loopback};
pub use mail::{AlertSettings, MailSettings, Security};
pub use retention::RetentionSettings;
pub use source::ConfigError;
pub use training::TrainingSettings;

use crate::ensemble::{DeviceChoice, LaunchPlan, Precision};
use crate::gauges::Gauges;
use crate::outbox::overlay::Palette;
use crate::radiograph::Limits;
use bytesize::ByteSize;
use choices::{a_handful, a_while, at_least_one, at_most_a_week, at_most_an_hour};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// All settings, as `kellgrend.toml` holds them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the folders are.
    pub folders: Folders,
    /// When a file in the inbox is complete.
    pub settle: Settle,
    /// What a radiograph may ask for.
    pub radiographs: Radiographs,
    /// What is kept of the patient.
    pub identity: IdentitySettings,
    /// Networks and device.
    pub ensemble: EnsembleSettings,
    /// How much happens at a time.
    pub grading: GradingSettings,
    /// What is drawn.
    pub pictures: Pictures,
    /// When and how it learns.
    pub training: TrainingSettings,
    /// How long what is kept.
    pub retention: RetentionSettings,
    /// Where the page is.
    pub http: Http,
    /// Who is told what, and by which server.
    pub mail: MailSettings,
    /// What is said.
    pub log: Log,
}

/// `[folders]`: relative paths are below the state folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the keys are documented where users read them: config/kellgrend.toml
pub struct Folders {
    pub inbox: PathBuf,
    pub outbox: PathBuf,
    pub labels: PathBuf,
    pub archive: PathBuf,
    pub quarantine: PathBuf,
}

/// `[settle]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settle {
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "at_most_an_hour")]
    pub quiet: Duration,
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "at_most_an_hour")]
    pub scan_every: Duration,
    pub events: bool,
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "at_most_a_week")]
    pub truncated_after: Duration,
    pub ignore: Vec<Pattern>,
}

/// `[radiographs]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Radiographs {
    pub max_file: ByteSize,
    #[serde(deserialize_with = "at_least_one")]
    pub max_pixels: u64,
    #[serde(deserialize_with = "at_least_one")]
    pub max_side: u32,
    pub decode_memory: ByteSize,
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "at_most_an_hour")]
    pub decode_time: Duration,
}

/// `[identity]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct IdentitySettings {
    pub keep: Identity,
}

/// `[ensemble]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EnsembleSettings {
    pub device: DeviceChoice,
    pub precision: Precision,
    #[serde(deserialize_with = "a_handful")]
    pub threads: usize,
    pub release: String,
    #[serde(deserialize_with = "a_handful")]
    pub quorum: usize,
    #[serde(deserialize_with = "a_handful")]
    pub batch: usize,
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "at_most_an_hour")]
    pub batch_wait: Duration,
    #[serde(deserialize_with = "a_handful")]
    pub streams: usize,
    #[serde(deserialize_with = "a_handful")]
    pub capture: usize,
}

/// `[grading]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct GradingSettings {
    #[serde(deserialize_with = "a_handful")]
    pub jobs: usize,
    pub memory: ByteSize,
    pub keep_free: ByteSize,
    #[serde(serialize_with = "humantime_serde::serialize", deserialize_with = "a_while")]
    pub hang_after: Duration,
}

/// `[pictures]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Pictures {
    pub draw: bool,
    pub palette: Palette,
    pub mean_of: MeanOf,
    pub members: bool,
    pub views: Views,
}

/// What is drawn of a knee, and how.
#[derive(Clone, Copy, Debug)]
pub struct PictureStyle {
    /// The map's colours.
    pub palette: Palette,
    /// What the picture is the mean of.
    pub mean_of: MeanOf,
    /// Whether each member's map is published too.
    pub members: bool,
}

impl Pictures {
    /// How pictures are drawn, if at all.
    pub fn style(&self) -> Option<PictureStyle> {
        let Self { draw, palette, mean_of, members, views: _ } = *self;
        draw.then_some(PictureStyle { palette, mean_of, members })
    }

    /// Whether each member's map is needed, and not only their mean.
    pub fn need_members(&self) -> bool {
        self.draw && (self.members || self.mean_of == MeanOf::Pictures)
    }
}

/// `[log]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            inbox: "inbox".into(),
            outbox: "outbox".into(),
            labels: "labels".into(),
            archive: "archive".into(),
            quarantine: "quarantine".into(),
        }
    }
}

impl Default for Settle {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(3),
            scan_every: Duration::from_secs(15),
            events: true,
            truncated_after: Duration::from_secs(600),
            ignore: ["*.part", "*.filepart", "*.tmp", "*.partial", "*.crdownload", "~*", "@eaDir"]
                .map(Pattern::known)
                .into(),
        }
    }
}

impl Default for Radiographs {
    fn default() -> Self {
        let Limits { max_bytes, max_pixels, max_side } = Limits::default();
        Self {
            max_file: ByteSize(max_bytes),
            max_pixels,
            max_side,
            decode_memory: ByteSize::gib(2),
            decode_time: Duration::from_secs(60),
        }
    }
}

impl Default for EnsembleSettings {
    fn default() -> Self {
        let launches = LaunchPlan::default();
        Self {
            device: DeviceChoice::default(),
            precision: Precision::default(),
            threads: 0,
            release: String::new(),
            quorum: 0,
            batch: 0,
            batch_wait: Duration::from_millis(20),
            streams: launches.streams,
            capture: launches.captured_knees,
        }
    }
}

impl Default for GradingSettings {
    fn default() -> Self {
        Self { jobs: 0, memory: ByteSize::mib(256), keep_free: ByteSize::mib(512), hang_after: Gauges::PATIENCE }
    }
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            draw: true,
            palette: Palette::default(),
            mean_of: MeanOf::default(),
            members: false,
            views: Views::default(),
        }
    }
}

impl EnsembleSettings {
    /// `streams` and `capture`.
    pub fn launches(&self) -> LaunchPlan {
        LaunchPlan { streams: self.streams, captured_knees: self.capture }
    }
}

impl GradingSettings {
    /// `jobs`, with 0 resolved to the number of cores.
    pub fn jobs(&self) -> usize {
        match self.jobs {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            jobs => jobs,
        }
    }
}
