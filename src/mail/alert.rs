//! What an alert says.

use bytesize::ByteSize;
use jiff::Timestamp;
use std::fmt::Write as _;

/// What an alert is of. The words are in the ledger and in `report_mail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Disk,
    Inbox,
    Gpu,
    Networks,
    Results,
    Quarantine,
    Idle,
    Labels,
    Training,
}

impl Kind {
    /// Those that are told again, a pause after the last time.
    pub const LASTING: [Self; 8] =
        [Self::Disk, Self::Inbox, Self::Gpu, Self::Networks, Self::Results, Self::Quarantine, Self::Idle, Self::Labels];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Inbox => "inbox",
            Self::Gpu => "gpu",
            Self::Networks => "networks",
            Self::Results => "results",
            Self::Quarantine => "quarantine",
            Self::Idle => "idle",
            Self::Labels => "labels",
            Self::Training => "training",
        }
    }
}

/// A folder, and how many bytes are free where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What the folder is called: state, inbox, ...
    pub folder: String,
    /// Free bytes.
    pub free: u64,
    /// With less than this nothing is taken from the inbox.
    pub keep_free: u64,
}

/// A training that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// What tells it from others.
    pub key: String,
    /// The run's name; none where it came to no run.
    pub run: Option<String>,
    /// promoted, kept, failed.
    pub outcome: String,
    /// Why, in sentences.
    pub reasons: String,
}

/// Something that people should know now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Little is free where these folders are.
    Disk(Vec<Disk>),
    /// The inbox cannot be read.
    Inbox {
        /// Since when.
        since: Timestamp,
    },
    /// The CPU grades, since the GPU is gone.
    Gpu {
        /// The GPU that graded before.
        before: String,
    },
    /// The networks fail.
    Networks {
        /// Since when.
        since: Timestamp,
    },
    /// What was graded cannot be put where it belongs.
    Results {
        /// Since when.
        since: Timestamp,
    },
    /// Many files were quarantined within an hour.
    Quarantine {
        /// How many.
        files: usize,
        /// The commonest reason's word.
        mostly: Option<String>,
    },
    /// Nothing was graded.
    Idle {
        /// Since when.
        since: Timestamp,
        /// How many radiographs are in work.
        in_work: usize,
    },
    /// Lists of labels were refused.
    Labels {
        /// How many.
        lists: usize,
    },
    /// A training has ended.
    Training(Training),
}

impl Alert {
    /// What it is of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Disk(_) => Kind::Disk,
            Self::Inbox { .. } => Kind::Inbox,
            Self::Gpu { .. } => Kind::Gpu,
            Self::Networks { .. } => Kind::Networks,
            Self::Results { .. } => Kind::Results,
            Self::Quarantine { .. } => Kind::Quarantine,
            Self::Idle { .. } => Kind::Idle,
            Self::Labels { .. } => Kind::Labels,
            Self::Training(_) => Kind::Training,
        }
    }

    /// What tells it from every other alert.
    pub fn key(&self, now: Timestamp) -> String {
        match self {
            Self::Training(training) => training.key.clone(),
            other => format!("{}:{now:.3}", other.kind().as_str()),
        }
    }

    /// The mail's subject, but for the machine's name.
    pub fn subject(&self) -> String {
        match self {
            Self::Disk(disks) => {
                let least = disks.iter().map(|disk| disk.free).min().unwrap_or(0);
                format!("only {} free on disk", ByteSize(least))
            }
            Self::Inbox { .. } => "the inbox cannot be read".to_owned(),
            Self::Gpu { .. } => "the GPU is gone, and the CPU grades".to_owned(),
            Self::Networks { .. } => "the networks fail".to_owned(),
            Self::Results { .. } => "results cannot be written".to_owned(),
            Self::Quarantine { files, .. } => format!("{files} files quarantined within an hour"),
            Self::Idle { .. } => "nothing is graded".to_owned(),
            Self::Labels { lists: 1 } => "a list of labels is refused".to_owned(),
            Self::Labels { lists } => format!("{lists} lists of labels are refused"),
            Self::Training(Training { outcome, .. }) => match outcome.as_str() {
                "promoted" => "a new release is in service".to_owned(),
                "kept" => "a new release was kept out of service".to_owned(),
                _ => "a training has failed".to_owned(),
            },
        }
    }

    /// What is the matter, and what to do about it. `missed`: how often the same has happened since it was last told.
    pub fn text(&self, missed: u32) -> String {
        let mut text = match self {
            Self::Disk(disks) => disk(disks),
            Self::Inbox { since } => format!(
                "The inbox could not be read since {since:.0}, so nothing new is graded. If it is on a network share, see \
                 whether that is there and mounted; otherwise check its owner and permissions. It is looked for all the \
                 time, and grading goes on by itself when it is back. `kellgrend check` says more."
            ),
            Self::Gpu { before } => format!(
                "This used to grade on {before}. At the last start no GPU was found, so that the CPU grades: nothing is \
                 wrong with the grades, but each takes many times as long. `kellgrend check` and the log say what the \
                 driver says; where `nvidia-smi` shows no GPU either, it is the driver, the card or its seat. The GPU is \
                 looked for at each start of the service. Where the CPU is meant, `device = \"cpu\"` in [ensemble] says so."
            ),
            Self::Networks { since } => format!(
                "Radiographs were tried since {since:.0}, and none got through the networks: the device's memory may be \
                 filled by another program, or the device be lost. They stay in work and are tried again. The log says \
                 what failed; `kellgrend check` tries the networks. A lost device comes back with another start of the \
                 service, or of the machine: where the networks fail on everything, the service ends by itself, to be \
                 started anew."
            ),
            Self::Results { since } => format!(
                "Since {since:.0} radiographs are in work that cannot come to their end: results cannot be written to the outbox, \
                 or originals cannot be read back, decoded or put away, or the ledger takes nothing. A share may be away or full, \
                 without room for more files, or read-only. What was taken in waits in work, and is tried again all the time; nothing \
                 is lost. The log names the cause; `kellgrend check` tries each folder."
            ),
            Self::Quarantine { files, mostly } => {
                let mostly = mostly.as_ref().map_or(String::new(), |code| format!(", most of them as `{code}`"));
                format!(
                    "{files} files could not be graded within the last hour{mostly}. A sender may have changed what it \
                     sends, or how. `kellgrend report refused` names each file's reason; `kellgrend retry --all` puts \
                     them back into the inbox once the cause is mended."
                )
            }
            Self::Idle { since, in_work } => {
                let mut text = format!("Nothing was graded since {since:.0}. ");
                text += match in_work {
                    0 => {
                        "Nothing is in work either: it seems that no films are sent any more. See whether senders \
                          still reach the inbox."
                    }
                    _ => "Radiographs are in work all the same: the log says what keeps them.",
                };
                text
            }
            Self::Labels { lists } => {
                let (them, lie) = if *lists == 1 { ("it", "It lies") } else { ("them", "They lie") };
                format!(
                    "Nothing of what is in {them} was taken in. {lie} in `refused` below the labels folder, named after the \
                     SHA-256 of the content, with the reason beside it in a .txt file: which line, and what is wrong there. Mended and \
                     dropped in again, a list is taken in like any other; what it has in common with earlier ones counts once."
                )
            }
            Self::Training(training) => training.text(),
        };
        if missed > 0 {
            // writing into a string cannot fail
            let _ = write!(text, "\n\nSince the last mail about this it has happened {} more.", times(missed));
        }
        text
    }
}

/// How often.
pub(super) fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn disk(disks: &[Disk]) -> String {
    let places: Vec<_> =
        disks.iter().map(|disk| format!("{} where the {} folder is", ByteSize(disk.free), disk.folder)).collect();
    let held = match disks.iter().find(|disk| disk.free < disk.keep_free) {
        Some(disk) => {
            let (keep, folder) = (ByteSize(disk.keep_free), &disk.folder);
            format!(" Nothing is taken from the inbox now: {keep} are to stay free where the {folder} folder is.")
        }
        None => String::new(),
    };
    format!(
        "Little room is left: {}. When a disk is full, radiographs wait in inbox and work, and nothing is lost; grading \
         goes on by itself when there is room again. Old results in the outbox may be moved away, and originals in the \
         archive that are kept elsewhere. Less than [mail.alerts] disk, or than [grading] keep_free, is what this mail calls \
         little.{held}",
        places.join(", ")
    )
}

impl Training {
    fn text(&self) -> String {
        let Self { run, outcome, reasons, .. } = self;
        let run = run.as_ref().map_or("A training that was due".to_owned(), |run| format!("The training {run}"));
        match outcome.as_str() {
            "promoted" => format!(
                "{run} has made a release, which passed the gate and is in service now. {reasons}\n\n`kellgrend models \
                 rollback` goes back to the release before; its model card is card.html in its folder below models/."
            ),
            "kept" => format!(
                "{run} has made a release, which is not in service. {reasons}\n\nIts model card is card.html in its \
                 folder below models/; `kellgrend models promote` puts it into service all the same."
            ),
            _ => {
                let more = if self.run.is_some() { " `kellgrend report fits` says more." } else { "" };
                format!("{run} has failed: {reasons}\n\nGrading goes on as before.{more}")
            }
        }
    }
}
