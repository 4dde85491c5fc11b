//! The chunks of a PNG (PNG specification, 5): where it ends, and who made it.

use crate::radiograph::Refusal;

const SIGNATURE: usize = 8;
/// What this program writes into the Software text of every picture that it makes.
const OWN: &[u8] = b"Software\0kellgrend";

/// Refuses a PNG without its IEND chunk.
pub(crate) fn check_end(bytes: &[u8]) -> Result<(), Refusal> {
    for_each(bytes, |_, _| Ok(()))
}

/// Refuses a PNG without its end, and one that this program made.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    for_each(
        bytes,
        |kind, data| {
            if kind == b"tEXt" && data.starts_with(OWN) { Err(Refusal::OwnOutput) } else { Ok(()) }
        },
    )
}

fn for_each(bytes: &[u8], mut look: impl FnMut(&[u8; 4], &[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    loop {
        let cut_off = || Refusal::truncated("its PNG data end before the IEND chunk");
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let length = u32::from_be_bytes(*length) as usize;
        if !kind.iter().all(u8::is_ascii_alphabetic) && *kind != [0; 4] {
            return Err(Refusal::damaged("its PNG data have no chunk where one should be"));
        }
        // Four bytes of checksum follow the data.
        let (data, after) = after.split_at_checked(length).ok_or_else(cut_off)?;
        rest = after.get(4..).ok_or_else(cut_off)?;
        look(kind, data)?;
        if kind == b"IEND" {
            return Ok(());
        }
    }
}
