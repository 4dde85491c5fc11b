//! How the daemon and a decoder talk: a line's length, the line (JSON), and the bytes that it announces.

use super::sandbox::Sandbox;
use crate::side::Side;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// No line is longer: tags are short, and who is asked may be anybody by then.
const LONGEST: u32 = 1 << 20;

/// What a decoder says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The program's version: another one may talk otherwise.
    pub(super) version: String,
    pub(super) sandbox: Sandbox,
}

/// A file to decode: so many bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) bytes: u64,
    pub(super) side_by_name: Side,
}

pub(super) fn send(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_vec(line)?;
    let length = u32::try_from(line.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_le_bytes()[..], &line].concat())
}

/// None where the other end is gone.
pub(super) fn receive<T: for<'de> Deserialize<'de>>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("a line that is too long"));
    }
    let mut line = vec![0; length as usize];
    from.read_exact(&mut line)?;
    Ok(Some(serde_json::from_slice(&line)?))
}
