//! Why a file did not come.

use super::MAX_BYTES;
use crate::digest::Digest;
use bytesize::ByteSize;
use std::{io, path::PathBuf};

/// An error about one file; it names the address that was asked or the file on disk.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// A name that cannot be checked, or would leave the folder.
    #[error(
        "{0:?} cannot be fetched: a name must end in the first digits of its SHA-256, as resnet101-cd907fc2.pth does"
    )]
    Name(String),
    /// Another process is at it.
    #[error("another kellgrend is writing {}; wait for its end, or stop it and try again", path.display())]
    Busy {
        /// The partial file.
        path: PathBuf,
    },
    /// The system refused.
    #[error(
        "{} cannot be {step}: {source}; check the folder's owner, permissions and free space (what has come is kept, \
         and the same command goes on from there)",
        path.display()
    )]
    Io {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No server answers there.
    #[error("{url} cannot be reached ({reason})")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server has nothing to give there.
    #[error("{url} was answered with HTTP status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// 404 and the like.
        status: u16,
    },
    /// The connection broke, and what has come is kept.
    #[error("the connection for {url} broke ({reason})")]
    Broken {
        /// What was asked for.
        url: String,
        /// How.
        reason: String,
    },
    /// More than any of the files has.
    #[error("{url} leads to more than {}, which no such file has", ByteSize(MAX_BYTES))]
    TooLarge {
        /// What was asked for.
        url: String,
    },
    /// All came, and it is something else.
    #[error(
        "{url} led to other bytes than its name says (their SHA-256 begins with {}, not {expected}); they were \
         removed, and the next run begins anew",
        &found.to_string()[..8]
    )]
    Hash {
        /// What was asked for.
        url: String,
        /// The digits in the file's name.
        expected: String,
        /// The hash of what came.
        found: Digest,
    },
}

impl DownloadError {
    /// Whether it may be otherwise in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            // request timeout, too many requests, a server in trouble
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }
}
