//! The small closed types that settings are made of.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::time::Duration;

/// What is kept of the patient's identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Nothing.
    None,
    /// A keyed hash of the patient ID.
    #[default]
    Pseudonym,
    /// All that the file says, and the file's name.
    Plain,
}

impl Identity {
    /// The word in settings and ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pseudonym => "pseudonym",
            Self::Plain => "plain",
        }
    }
}

/// Which views' Grad-CAM maps are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Views {
    /// The knee as it is.
    #[default]
    Upright,
    /// The mean of the knee as it is and of its mirror image turned back.
    Both,
}

/// What the ensemble's picture is the mean of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeanOf {
    /// The members' maps, coloured afterwards.
    #[default]
    Maps,
    /// The members' pictures, each map coloured by itself: as the paper shows it.
    Pictures,
}

/// How much the log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people; in the journal, messages with fields.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// A file name pattern, as a shell writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(glob::Pattern);

impl Pattern {
    /// A pattern from the source, known to be valid.
    pub(super) fn known(pattern: &str) -> Self {
        Self(glob::Pattern::new(pattern).expect("a valid pattern"))
    }

    /// Whether a file name matches; names that are not UTF-8 are matched with their odd bytes replaced.
    pub fn matches(&self, name: &std::ffi::OsStr) -> bool {
        self.0.matches(&name.to_string_lossy())
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        glob::Pattern::new(&pattern).map(Self).map_err(|e| format!("{pattern:?} is not a file name pattern: {e}"))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

/// A number that must not be zero.
pub(super) fn at_least_one<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<N, D::Error> {
    let value = i64::deserialize(deserializer)?;
    u64::try_from(value)
        .ok()
        .filter(|value| *value > 0)
        .and_then(|value| N::try_from(value).ok())
        .ok_or_else(|| D::Error::custom(format!("{value} is out of range: a whole number from 1 is meant")))
}

/// A number of things, mostly of those done at once; 0 leaves it to the machine or the release.
pub(super) fn a_handful<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = i64::deserialize(deserializer)?;
    usize::try_from(value)
        .ok()
        .filter(|value| *value <= 4096)
        .ok_or_else(|| D::Error::custom(format!("{value} is out of range: a whole number from 0 to 4096 is meant")))
}

/// A number of things that may be none, and as many as there are.
pub(super) fn a_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = i64::deserialize(deserializer)?;
    usize::try_from(value)
        .map_err(|_| D::Error::custom(format!("{value} is out of range: a whole number from 0 is meant")))
}

/// Into how many folds knees are dealt.
pub(super) fn a_number_of_folds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = i64::deserialize(deserializer)?;
    usize::try_from(value)
        .ok()
        .filter(|value| (2..=20).contains(value))
        .ok_or_else(|| D::Error::custom(format!("{value} is out of range: a whole number from 2 to 20 is meant")))
}

/// A part of a whole.
pub(super) fn a_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(D::Error::custom(format!("{value} is out of range: a number from 0 to 1 is meant"))),
    }
}

/// A time after which something is given up.
pub(super) fn at_most_a_week<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    a_time(deserializer, |time| time <= Duration::from_secs(7 * 86_400), "at most 7 days are meant")
}

/// A time that something waits; more than an hour is a slip of the pen.
pub(super) fn at_most_an_hour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let is_meant = |time: Duration| !time.is_zero() && time <= Duration::from_secs(3600);
    a_time(deserializer, is_meant, "more than 0 s and at most 1 h is meant")
}

/// A time in which something must have happened.
pub(super) fn a_while<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let meant = Duration::from_secs(5)..=Duration::from_secs(86_400);
    a_time(deserializer, |time| meant.contains(&time), "5 s to 1 day is meant")
}

fn a_time<'de, D: Deserializer<'de>>(
    deserializer: D,
    is_meant: impl Fn(Duration) -> bool,
    meant: &str,
) -> Result<Duration, D::Error> {
    let time: Duration = humantime_serde::deserialize(deserializer)?;
    if !is_meant(time) {
        let time = humantime::format_duration(time);
        return Err(D::Error::custom(format!("{time} is out of range: {meant}")));
    }
    Ok(time)
}
