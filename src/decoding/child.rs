//! What a decoder process does: it gives up what it does not need, and answers questions until nobody asks.

use super::sandbox::Sandbox;
use super::wire::{Hello, Question, receive, send};
use super::{Decoded, VERSION, answer};
use crate::radiograph::Limits;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

/// Serves the process at the other end of standard input, a socket.
pub fn serve(limits: &Limits, memory: u64) -> io::Result<()> {
    let mut daemon = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let sandbox = Sandbox::enter(memory)?;
    send(&mut daemon, &Hello { version: VERSION.to_owned(), sandbox })?;
    // one buffer for all files: memory that is new each time costs more than what is read into it
    let mut bytes = Vec::new();
    while let Some(Question { bytes: length, side_by_name }) = receive(&mut daemon)? {
        bytes.clear();
        bytes.reserve_exact(length.min(limits.max_bytes) as usize);
        let read = (&mut daemon).take(length.min(limits.max_bytes)).read_to_end(&mut bytes)?;
        if read as u64 != length {
            return Ok(());
        }
        answer::write(&mut daemon, Decoded::read(&bytes, limits, side_by_name))?;
    }
    Ok(())
}
