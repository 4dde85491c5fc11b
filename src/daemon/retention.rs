//! Retention: once in a while, what has been kept for its time is removed or, until the settings let it, told.

use crate::config::RetentionSettings;
use crate::retention::{Clock, Due, Removed, due, remove, stores};
use crate::station::Station;
use bytesize::ByteSize;
use jiff::Timestamp;
use std::time::Duration;

/// The daemon looks so often.
pub const EVERY: Duration = Duration::from_secs(3600);

const DOUBTED: &str = "nothing is removed until the clock has gone on evenly for a week: the ledger has nothing of one to three weeks ago, \
                       as after a first start or where the clock is wrong, or the clock has leapt by more than a day. If it is \
                       right, `kellgrend retention --remove` removes at once";

/// A clock that never steps, and goes on while the machine sleeps.
fn ran() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What the retention thread does again and again; none where all is kept for ever.
pub fn looks(settings: RetentionSettings, station: &Station) -> Option<impl FnMut() + Send + use<>> {
    let (state, ledger) = (station.state.clone(), station.ledger.clone());
    let mut clock = Clock::new(Timestamp::now(), ran());
    settings.is_on().then_some(move || {
        let now = Timestamp::now();
        if !settings.remove {
            return match due(&state.ledger, &settings, now) {
                Ok(all) => all.iter().filter(|due| due.count > 0).for_each(tell_due),
                Err(error) => tracing::error!("what has been kept for its time cannot be told: {error}"),
            };
        }
        match clock.is_believed(now, ran(), &state.ledger) {
            Ok(true) => {}
            Ok(false) => return tracing::warn!("{DOUBTED}"),
            Err(error) => return tracing::error!("nothing can be removed now: {error}"),
        }
        for (store, kept) in stores(&settings) {
            match remove(&state, &ledger, &settings, (store, kept), now) {
                Ok(Removed { count: 0, failed: 0, .. }) => {}
                Ok(Removed { count, bytes, failed }) => {
                    let (store, size) = (store.as_str(), ByteSize(bytes).to_string());
                    tracing::info!(store, count, size, failed, "removed what had been kept for its time");
                }
                Err(error) => tracing::error!(store = store.as_str(), "nothing more can be removed now: {error}"),
            }
        }
    })
}

fn tell_due(due: &Due) {
    let (store, count, size) = (due.store.as_str(), due.count, ByteSize(due.bytes).to_string());
    tracing::info!(store, count, size, "has been kept for its time; `remove = true` in [retention] would remove it");
}
