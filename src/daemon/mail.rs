//! Mail: looks at how things stand, and lets the mail room tell.

use crate::config::MailSettings;
use crate::labels::refused;
use crate::mail::alert::Disk;
use crate::mail::{Office, Signs, host, refusal};
use crate::outage::Outage;
use crate::state::{State, free_bytes};
use crate::station::Station;
use jiff::Timestamp;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;

/// What goes wrong with the daemon that no row tells.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// The inbox cannot be read.
    pub inbox: Outage,
    /// No radiograph gets through the networks.
    pub networks: Outage,
}

/// What the mail thread does again and again; none where mail is off.
pub fn looks(
    settings: &MailSettings,
    station: &Station,
    outages: &Outages,
) -> anyhow::Result<Option<impl FnMut() + Send + use<>>> {
    let (state, ledger, outages) = (station.state.clone(), station.ledger.clone(), outages.clone());
    if settings.is_on() {
        refusal::on_record(&state.root, &ledger).unwrap_or_else(|error| tracing::error!("{error}"));
    }
    let gpu_before = station.gpu_before.clone();
    let office = Office::open(settings, ledger, state.ledger.clone(), host(), Timestamp::now())?;
    Ok(office.map(|mut office| {
        move || {
            // before anything is looked at: what happens meanwhile is told the next time
            let now = Timestamp::now();
            let signs = Signs {
                disks: disks(&state),
                gpu_before: gpu_before.clone(),
                inbox_unread_since: outages.inbox.since(),
                networks_fail_since: outages.networks.since(),
                refused_lists: refused(&state.labels),
            };
            if let Err(error) = office.look(&signs, now) {
                tracing::error!("mail cannot be looked after: {error}; it is tried again");
            }
        }
    }))
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
