//! The log: to the journal with fields where standard error is connected to it, else to standard error as text or JSON.
//!
//! Whatever fails again and again is said once, and then less and less often, with a count: `sparing`.

mod sparing;

pub use sparing::{Say, Sayings};

use crate::config::{LogFormat, LogLevel};
use sparing::Sparing;
use std::io::{IsTerminal as _, stderr};
use std::os::unix::fs::MetadataExt as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

/// Fields in the journal begin so, as in `journalctl KELLGREND_OUTCOME=quarantined`.
const PREFIX: &str = "KELLGREND";

/// Starts the log for the rest of the process.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = tracing::Level::from(level);
    // Others' libraries never say more than warnings: at lower levels they name files, and so patients.
    let filter = EnvFilter::new(format!("warn,kellgrend={level}"));
    let plain = || tracing_subscriber::fmt::layer().with_writer(stderr).with_target(false);
    let to = tracing_subscriber::registry().with(filter);
    // One that was started before stays.
    let _ = match (format, journal()) {
        (LogFormat::Json, _) => begin(to.with(Sparing::new(plain().json().flatten_event(true)))),
        (LogFormat::Text, Some(journal)) => begin(to.with(Sparing::new(journal))),
        (LogFormat::Text, None) => begin(to.with(Sparing::new(plain().with_ansi(stderr().is_terminal())))),
    };
}

fn begin(to: impl Into<tracing::Dispatch>) -> Result<(), tracing::dispatcher::SetGlobalDefaultError> {
    tracing::dispatcher::set_global_default(to.into())
}

/// The journal, where standard error is connected to it and it can be reached.
fn journal() -> Option<tracing_journald::Layer> {
    let meta = std::fs::metadata("/proc/self/fd/2").ok()?;
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    is_stream(&stream, meta.dev(), meta.ino())
        .then(|| tracing_journald::layer().ok())
        .flatten()
        .map(|layer| layer.with_field_prefix(Some(PREFIX.to_owned())).with_syslog_identifier("kellgrend".to_owned()))
}

/// Whether `JOURNAL_STREAM` means the file of this device and inode: it is inherited by programs whose standard error leads
/// elsewhere.
///
/// Source: systemd.exec(5), "$JOURNAL_STREAM".
fn is_stream(variable: &str, device: u64, inode: u64) -> bool {
    variable.split_once(':').is_some_and(|(dev, ino)| dev.parse() == Ok(device) && ino.parse() == Ok(inode))
}
