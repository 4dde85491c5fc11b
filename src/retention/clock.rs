//! Whether the clock can be believed: by it things have been kept for their time, and what is removed does not come back.

use crate::ledger::{LedgerError, is_noted_between};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::time::Duration;

/// A clock that leaps further has been wrong, or is now.
const LEAP: SignedDuration = SignedDuration::from_hours(24);

/// One that goes on evenly for so long is believed.
pub const STEADY: Duration = Duration::from_secs(7 * 24 * 3600);

/// Nobody closes for longer than this beyond [`STEADY`]; who does, waits for it.
const CLOSED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What the clock said when it was last looked at, beside one that never steps.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Timestamp,
    ran: Duration,
    /// Since when it has gone on evenly, by the other one.
    even_since: Duration,
    has_leapt: bool,
}

impl Clock {
    /// At a start; `ran` is a clock that never steps, and goes on while the machine sleeps.
    pub fn new(wall: Timestamp, ran: Duration) -> Self {
        Self { wall, ran, even_since: ran, has_leapt: false }
    }

    /// Whether it can be believed: it has gone on evenly for [`STEADY`] or, where it has not leapt since the start, the ledger has
    /// something that was noted so long ago, and not much longer. At 2099, or in the first week, there is nothing.
    pub fn is_believed(&mut self, wall: Timestamp, ran: Duration, ledger: &Path) -> Result<bool, LedgerError> {
        let evenly = SignedDuration::try_from(ran.saturating_sub(self.ran)).unwrap_or(SignedDuration::MAX);
        if (wall.duration_since(self.wall) - evenly).abs() > LEAP {
            (self.even_since, self.has_leapt) = (ran, true);
        }
        (self.wall, self.ran) = (wall, ran);
        if ran.saturating_sub(self.even_since) >= STEADY {
            return Ok(true);
        }
        let before = |time: Timestamp, by: SignedDuration| time.checked_sub(by).unwrap_or(Timestamp::MIN);
        let to = before(wall, SignedDuration::try_from(STEADY).unwrap_or(SignedDuration::MAX));
        Ok(!self.has_leapt && is_noted_between(ledger, before(to, CLOSED), to)?)
    }
}
