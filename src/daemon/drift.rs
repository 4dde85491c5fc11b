//! Drift: once a day, whether what the release in service says has changed is put on record.

use crate::station::Station;
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// The daemon looks so often whether a new day has come.
pub const EVERY: Duration = Duration::from_secs(3600);

/// What the drift thread does again and again.
pub fn look(station: &Station) -> impl FnMut() + Send + use<> {
    let ledger = station.ledger.clone();
    move || {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        if let Err(error) = ledger.judge_drift(today) {
            tracing::error!("drift cannot be put on record: {error}; it is tried again in an hour");
        }
    }
}
