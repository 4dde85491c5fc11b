//! The chunks of a PNG (PNG specification, 5): where it ends, and who made it.

use crate::radiograph::Refusal;
use image::metadata::Orientation;

const SIGNATURE: usize = 8;
/// The longest chunk that there may be (5.3).
const MAX_LENGTH: u32 = 0x7FFF_FFFF;
/// Chunks beside those of the pixels: each costs the decoder memory, and real pictures have a dozen.
const MAX_CHUNKS: usize = 10_000;
/// What this program writes into the Software text of every picture that it makes.
const OWN: &[u8] = b"Software\0kellgrend";

/// Refuses a PNG without its IEND chunk.
pub(crate) fn check_end(bytes: &[u8]) -> Result<(), Refusal> {
    for_each(bytes, |_, _| Ok(()))
}

/// Refuses a PNG without its end, and one that this program made; how it is to be turned, which may stand behind its pixels (11.3.2.4
/// of the third edition).
pub(super) fn check(bytes: &[u8]) -> Result<Orientation, Refusal> {
    let mut orientation = None;
    for_each(bytes, |kind, data| {
        match kind {
            b"tEXt" if data.starts_with(OWN) => return Err(Refusal::OwnOutput),
            b"eXIf" => orientation = orientation.or(Orientation::from_exif_chunk(data)),
            _ => {}
        }
        Ok(())
    })?;
    Ok(orientation.unwrap_or(Orientation::NoTransforms))
}

fn for_each(bytes: &[u8], mut look: impl FnMut(&[u8; 4], &[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    let mut others = 0;
    loop {
        let cut_off = || Refusal::truncated("its PNG data end before the IEND chunk");
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let length = u32::from_be_bytes(*length);
        if *kind == [0; 4] {
            return Err(Refusal::truncated("zeros stand where a chunk of its PNG data should be"));
        }
        if !kind.iter().all(u8::is_ascii_alphabetic) || length > MAX_LENGTH {
            return Err(Refusal::damaged("its PNG data have no chunk where one should be"));
        }
        others += usize::from(kind != b"IDAT");
        if others > MAX_CHUNKS {
            return Err(Refusal::damaged(format!("its PNG data have more than {MAX_CHUNKS} chunks beside its pixels")));
        }
        // Four bytes of checksum follow the data.
        let (data, after) = after.split_at_checked(length as usize).ok_or_else(cut_off)?;
        rest = after.get(4..).ok_or_else(cut_off)?;
        look(kind, data)?;
        if kind == b"IEND" {
            return Ok(());
        }
    }
}
