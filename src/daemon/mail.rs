//! Mail: looks at how things stand, and lets the mail room tell.

use super::scout::Scout;
use crate::config::Settings;
use crate::intake::kept_free;
use crate::labels::refused;
use crate::mail::alert::Disk;
use crate::mail::{Office, Signs, host, refusal};
use crate::outage::Outage;
use crate::state::{State, free_bytes};
use crate::station::Station;
use jiff::Timestamp;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// How long free space and refused lists are waited for; a share that hangs is told of all the same.
const PATIENCE: Duration = Duration::from_secs(10);

/// What goes wrong with the daemon that no row tells.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// The inbox cannot be read.
    pub inbox: Outage,
    /// No radiograph gets through the networks.
    pub networks: Outage,
    /// No radiograph comes to its end, for other reasons than the networks.
    pub results: Outage,
}

/// What the mail thread does again and again; none where mail is off.
pub fn looks(
    settings: &Settings,
    station: &Station,
    outages: &Outages,
) -> anyhow::Result<Option<impl FnMut() + Send + use<>>> {
    let (state, ledger, outages) = (station.state.clone(), station.ledger.clone(), outages.clone());
    let (settings, keep_free) = (&settings.mail, settings.grading.keep_free.as_u64());
    if settings.is_on() {
        refusal::on_record(&state.root, &ledger).unwrap_or_else(|error| tracing::error!("{error}"));
    }
    let gpu_before = station.gpu_before.clone();
    let office = Office::open(settings, ledger, state.ledger.clone(), host(), Timestamp::now())?;
    let Some(mut office) = office else { return Ok(None) };
    let mut folders = Scout::new(PATIENCE, move || (disks(&state, keep_free), refused(&state.labels)))?;
    Ok(Some(move || {
        // before anything is looked at: what happens meanwhile is told the next time
        let now = Timestamp::now();
        let (disks, refused_lists) = folders.seen();
        let signs = Signs {
            disks,
            gpu_before: gpu_before.clone(),
            inbox_unread_since: outages.inbox.since(),
            networks_fail_since: outages.networks.since(),
            results_wait_since: outages.results.since(),
            refused_lists,
        };
        if let Err(error) = office.look(&signs, now) {
            tracing::error!("mail cannot be looked after: {error}; it is tried again");
        }
    }))
}

/// The folders that are on disks of their own, and what is free there.
fn disks(state: &State, keep_free: u64) -> Vec<Disk> {
    let device = |path: &Path| path.metadata().ok().map(|meta| meta.dev());
    let kept = kept_free(state, device);
    let mut seen = HashSet::new();
    let mut disks = Vec::new();
    for (folder, path) in state.folders() {
        if let Some(device) = device(path)
            && seen.insert(device)
            && let Some(free) = free_bytes(path)
        {
            let keep_free = if kept.contains(&device) { keep_free } else { 0 };
            disks.push(Disk { folder: folder.to_owned(), free, keep_free });
        }
    }
    disks
}
