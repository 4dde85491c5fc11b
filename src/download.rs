//! Files from the network: what is there is not fetched again, and what was begun goes on where it stopped.
//!
//! A file's name carries the first digits of its SHA-256, as torchvision's do. It is received under another name,
//! checked, made durable and renamed, so that a file under its own name is whole. The digits guard against damage and
//! mix-ups, not against forgery: for that the address begins with `https`.

mod error;
mod name;
mod origin;
mod partial;

pub use error::DownloadError;
pub use name::{Standing, standing};
pub use origin::{Origin, Patience};

use name::digits;
use origin::Answer;
use partial::Partial;
use std::io::Read as _;
use std::path::Path;

/// Four times the largest file that is fetched here: a server that sends for ever fills no disk.
pub const MAX_BYTES: u64 = 1 << 30;

/// So much between two failures is progress: the failures before it are forgiven.
const PROGRESS: u64 = 1 << 20;

/// How a file came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there, with the right hash.
    Had,
    /// It has come now, or what was missing of it.
    Got,
}

/// What happens meanwhile.
#[derive(Debug)]
pub enum Step<'a> {
    /// This much is there, of so much where the server says it.
    Bytes(u64, Option<u64>),
    /// It failed, and is tried again after a pause.
    Again(&'a DownloadError),
}

/// Fetches the file of this name into a folder, or finds it there.
///
/// Stopped at any moment, it loses nothing: the next call goes on from the bytes that have come. A second process that
/// fetches the same file is refused.
pub fn fetch(
    file: &str,
    origin: &Origin,
    folder: &Path,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Fetched, DownloadError> {
    let expected = digits(file)?;
    if standing(file, folder)? == Standing::Right {
        return Ok(Fetched::Had);
    }
    let mut partial = Partial::open(folder, file)?;
    // It may have been stopped between the last byte and the renaming; then no server is needed.
    if partial.length() == 0 || !partial.digest()?.to_string().starts_with(expected) {
        if let Err(error) = receive(file, origin, &mut partial, tell) {
            partial.keep();
            return Err(error);
        }
        let found = partial.digest()?;
        if !found.to_string().starts_with(expected) {
            partial.remove()?;
            return Err(DownloadError::Hash { url: origin.address(file), expected: expected.to_owned(), found });
        }
    }
    partial.finish()?;
    Ok(Fetched::Got)
}

/// Everything that is missing, over as many connections as it takes.
fn receive(
    file: &str,
    origin: &Origin,
    partial: &mut Partial,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), DownloadError> {
    let patience = origin.patience();
    let (mut failures, mut heard) = (0, false);
    loop {
        let before = partial.length();
        let Err(error) = receive_once(file, origin, partial, &mut heard, tell) else { return Ok(()) };
        if partial.length() >= before + PROGRESS {
            failures = 0;
        }
        // A server that was never reached is reported at once: nobody waits for a network that is not there.
        let may_pass = error.may_pass() || (heard && matches!(error, DownloadError::Unreachable { .. }));
        if !may_pass || failures == patience.retries {
            return Err(error);
        }
        tell(Step::Again(&error));
        std::thread::sleep(patience.pause * 2_u32.saturating_pow(failures));
        failures += 1;
    }
}

/// What comes over one connection.
fn receive_once(
    file: &str,
    origin: &Origin,
    partial: &mut Partial,
    heard: &mut bool,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), DownloadError> {
    let broken = |reason: String| DownloadError::Broken { url: origin.address(file), reason };
    let (at, total, mut body) = match origin.ask(file, partial.length())? {
        Answer::Bytes { at, total, body } => (at, total, body),
        Answer::NothingMore => return Ok(()),
    };
    *heard = true;
    // Zero where the server knows no ranges and begins anew.
    let fits = at <= partial.length();
    partial.cut(if fits { at } else { 0 })?;
    if !fits {
        return Err(broken("it sent other bytes than it was asked for".to_owned()));
    }
    if total.is_some_and(|total| total > MAX_BYTES) {
        return Err(DownloadError::TooLarge { url: origin.address(file) });
    }
    let mut block = vec![0; 1 << 16];
    loop {
        tell(Step::Bytes(partial.length(), total));
        let count = match body.read(&mut block) {
            Ok(0) if total.is_some_and(|total| partial.length() < total) => {
                return Err(broken("it ended before all had come".to_owned()));
            }
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(broken(error.to_string())),
        };
        if partial.length() + count as u64 > MAX_BYTES {
            partial.cut(0)?;
            return Err(DownloadError::TooLarge { url: origin.address(file) });
        }
        partial.write(&block[..count])?;
    }
}
