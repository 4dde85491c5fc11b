//! `kellgrend run`

use super::{Exit, Failure, Global, in_full, runtime};
use crate::config::{LogFormat, LogLevel, MailSettings, Settings};
use crate::daemon;
use crate::grading::Trouble;
use crate::mail::{host, refusal};
use crate::state::StateError;
use jiff::Timestamp;
use std::io::{IsTerminal as _, stderr};
use std::path::Path;
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
        let (settings, state) = global.load().inspect_err(|failure| tell_of_settings(global, failure))?;
        crate::log::start(settings.log.level, settings.log.format);
        let (mail, root) = (settings.mail.clone(), state.root.clone());
        let runtime = runtime()?;
        let outcome = runtime.block_on(async {
            let mut term = signal(SignalKind::terminate())?;
            let mut int = signal(SignalKind::interrupt())?;
            let mut hup = signal(SignalKind::hangup())?;
            // a terminal that has gone is none any more
            let at_terminal = stderr().is_terminal();
            let stop = async move {
                loop {
                    tokio::select! {
                        _ = term.recv() => break,
                        _ = int.recv() => break,
                        // who watched at a terminal has gone; a service has none
                        _ = hup.recv() => match at_terminal {
                            true => break,
                            false => tracing::info!("SIGHUP changes nothing: settings are read at a start"),
                        },
                    }
                }
            };
            daemon::run(settings, state, stop).await
        });
        outcome.inspect_err(|error| tell(&mail, &root, error))?;
        Ok(Exit::Done)
    }
}

/// That settings are not valid is told where `[mail]` itself is.
fn tell_of_settings(global: &Global, failure: &Failure) {
    let (Failure::Usage(error) | Failure::Start(error)) = failure;
    if let (Some(mail), Ok(root)) = (Settings::mail_alone(global.config.as_deref()), global.state_folder()) {
        crate::log::start(LogLevel::default(), LogFormat::default());
        tell(&mail, &root, error);
    }
}

/// By mail, if it is on. That another instance has the state folder, somebody at a terminal sees.
fn tell(mail: &MailSettings, root: &Path, error: &anyhow::Error) {
    let is_busy = matches!(error.downcast_ref(), Some(StateError::Busy { .. }));
    if !mail.is_on() || is_busy && stderr().is_terminal() {
        return;
    }
    let kind = if is_busy { refusal::BUSY } else { error.downcast_ref().map_or("start", Trouble::code) };
    match refusal::tell(mail, root, &host(), (kind, &in_full(error)), Timestamp::now()) {
        Ok(Some(answer)) => tracing::info!(answer, "a mail tells of it"),
        Ok(None) => tracing::info!("a mail told of the same lately"),
        Err(error) => tracing::error!("{error}"),
    }
}
