//! The mail thread: looks at how things stand, and lets the mail room tell.

use crate::config::MailSettings;
use crate::ledger::Ledger;
use crate::mail::alert::Disk;
use crate::mail::{Office, Signs, host};
use crate::outage::Outage;
use crate::state::{State, free_bytes};
use anyhow::Context as _;
use jiff::Timestamp;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// A stop waits no longer than this for a mail that is on its way: it stays in the ledger, and the next start sends it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What goes wrong with the daemon that no row tells.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// The inbox cannot be read.
    pub inbox: Outage,
    /// No radiograph gets through the networks.
    pub networks: Outage,
}

/// The thread, until it is stopped.
pub struct MailThread {
    end: Sender<()>,
    ended: Receiver<()>,
}

impl MailThread {
    /// Begins to look every so often; none where mail is off.
    pub fn start(
        settings: &MailSettings,
        state: &State,
        ledger: Ledger,
        outages: Outages,
        every: Duration,
    ) -> anyhow::Result<Option<Self>> {
        let office = Office::open(settings, ledger, state.ledger.clone(), host(), Timestamp::now())?;
        let Some(mut office) = office else { return Ok(None) };
        let state = state.clone();
        let (end, until) = mpsc::channel::<()>();
        let (done, ended) = mpsc::channel();
        let mut look = move || {
            let signs = Signs {
                disks: disks(&state),
                inbox_unread_since: outages.inbox.since(),
                networks_fail_since: outages.networks.since(),
            };
            if let Err(error) = office.look(&signs, Timestamp::now()) {
                tracing::error!("mail cannot be looked after: {error}; it is tried again");
            }
        };
        let run = move || {
            let _done = done;
            loop {
                if catch_unwind(AssertUnwindSafe(&mut look)).is_err() {
                    tracing::error!("looking after mail has failed; it is tried again");
                }
                if until.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("mail".into()).spawn(run).context("the mail thread cannot be started")?;
        Ok(Some(Self { end, ended }))
    }

    /// Asks it to end, and waits a little.
    pub fn stop(self) {
        drop(self.end);
        let _ended = self.ended.recv_timeout(PATIENCE);
    }
}

/// The folders that are on disks of their own, and what is free there.
fn disks(state: &State) -> Vec<Disk> {
    let mut seen = HashSet::new();
    let mut disks = Vec::new();
    for (folder, path) in state.folders() {
        if path.metadata().is_ok_and(|meta| seen.insert(meta.dev()))
            && let Some(free) = free_bytes(path)
        {
            disks.push(Disk { folder: folder.to_owned(), free });
        }
    }
    disks
}
