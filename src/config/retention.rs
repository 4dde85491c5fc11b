//! `[retention]`

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[retention]`: how long what is kept after its radiograph last arrived or was graded; zero: for ever.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the keys are documented where users read them: config/kellgrend.toml
pub struct RetentionSettings {
    #[serde(with = "humantime_serde")]
    pub archive: Duration,
    #[serde(with = "humantime_serde")]
    pub outbox: Duration,
    #[serde(with = "humantime_serde")]
    pub quarantine: Duration,
    #[serde(with = "humantime_serde")]
    pub ledger: Duration,
    pub spare_labelled: bool,
    pub remove: bool,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            archive: Duration::ZERO,
            outbox: Duration::ZERO,
            quarantine: Duration::ZERO,
            ledger: Duration::ZERO,
            spare_labelled: true,
            remove: false,
        }
    }
}

impl RetentionSettings {
    /// Whether anything is kept for a time only.
    pub fn is_on(&self) -> bool {
        [self.archive, self.outbox, self.quarantine, self.ledger].iter().any(|time| !time.is_zero())
    }
}
