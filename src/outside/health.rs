//! Whether all is well, and what is not. Pure.

use crate::gauges::Stuck;
use std::fmt;
use std::time::Duration;

/// Radiographs in work of which none, or one that cannot, comes to an end for so long do not go on by themselves.
const STANDS_STILL: Duration = Duration::from_secs(15 * 60);

/// A look around takes no longer, unless a folder does not answer.
const UNSEEN: Duration = Duration::from_secs(120);

/// What health is judged by.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// Why the ledger cannot be written.
    pub ledger: Option<String>,
    /// Whether the last scan could read the inbox.
    pub is_inbox_reachable: bool,
    /// Whether nothing is taken in since a disk is nearly full.
    pub is_held: bool,
    /// A step that hangs.
    pub stuck: Option<Stuck>,
    /// For how long nothing has come to an end while radiographs are in work, or one of them waits that cannot end.
    pub stands_still: Option<Duration>,
    /// Whether the networks' thread has ended.
    pub are_networks_gone: bool,
    /// How long ago somebody last looked around to the end.
    pub unseen: Duration,
}

/// What is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ill {
    /// The ledger cannot be written.
    Ledger(String),
    /// The inbox cannot be read.
    Inbox,
    /// A disk is nearly full.
    Full,
    /// A step hangs.
    Stuck(Stuck),
    /// Nothing comes to an end.
    StandsStill(Duration),
    /// There are no networks any more.
    NoNetworks,
    /// A folder, the ledger or the device does not answer.
    Unseen(Duration),
}

impl Ill {
    /// Whether something hangs that no film can be the cause of.
    pub fn is_no_films_fault(&self) -> bool {
        matches!(self, Self::Stuck(stuck) if !stuck.step.is_of_a_film())
    }

    /// Whether only a new start can help: then systemd's watchdog is not fed.
    pub fn is_hang(&self) -> bool {
        matches!(self, Self::Stuck(_) | Self::NoNetworks)
    }
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(why) => write!(f, "the ledger cannot be written: {why}"),
            Self::Inbox => write!(f, "the inbox cannot be read"),
            Self::Full => write!(f, "a disk is nearly full: nothing is taken from the inbox until there is room"),
            Self::Stuck(stuck) => write!(f, "{stuck}"),
            Self::StandsStill(time) => {
                write!(f, "radiographs are in work that have not come to an end for {} min", time.as_secs() / 60)
            }
            Self::NoNetworks => write!(f, "the networks have ended; start again"),
            Self::Unseen(time) => {
                write!(f, "a folder, the ledger or the device has not answered for {} s", time.as_secs())
            }
        }
    }
}

/// What is not well; nothing where all is.
pub fn ills(signs: &Signs) -> Vec<Ill> {
    let Signs { ledger, is_inbox_reachable, is_held, stuck, stands_still, are_networks_gone, unseen } = signs;
    [
        ledger.clone().map(Ill::Ledger),
        (!is_inbox_reachable).then_some(Ill::Inbox),
        is_held.then_some(Ill::Full),
        stuck.map(Ill::Stuck),
        stands_still.filter(|time| *time > STANDS_STILL).map(Ill::StandsStill),
        are_networks_gone.then_some(Ill::NoNetworks),
        (*unseen > UNSEEN).then_some(Ill::Unseen(*unseen)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
