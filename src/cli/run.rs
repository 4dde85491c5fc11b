//! `kellgrend run`

use super::{Exit, Failure, Global, runtime};
use crate::daemon;
use tokio::signal::unix::{SignalKind, signal};

/// Watch the inbox and grade what comes, until stopped (SIGTERM, Ctrl-C)
///
/// A file dropped into the inbox is taken once nothing about it has changed for a while, graded, and moved to
/// the archive; its results appear in the outbox as one folder. What cannot be graded goes to quarantine with
/// the reason beside it. A stop finishes what the networks have begun and leaves the rest; so does a crash.
#[derive(Debug, clap::Args)]
pub(super) struct Run {}

impl Run {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        crate::log::start(settings.log.level, settings.log.format);
        let runtime = runtime()?;
        runtime.block_on(async {
            let mut term = signal(SignalKind::terminate())?;
            let mut int = signal(SignalKind::interrupt())?;
            let stop = async move {
                tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            };
            daemon::run(settings, state, stop).await
        })?;
        Ok(Exit::Done)
    }
}
