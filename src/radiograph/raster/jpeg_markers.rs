//! The markers of a JPEG (ITU-T T.81 B): where it ends.

use crate::radiograph::Refusal;

/// Refuses a JPEG without its EOI marker. That of a thumbnail does not count, for it lies inside an APP segment.
pub(crate) fn check_end(bytes: &[u8]) -> Result<(), Refusal> {
    let cut_off = || Refusal::truncated("its JPEG data end before the EOI marker");
    let mut at = 2;
    loop {
        // Coded data, or fill bytes: on to the next marker.
        at += bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xFF)).ok_or_else(cut_off)?;
        match *bytes.get(at + 1).ok_or_else(cut_off)? {
            0xD9 => return Ok(()),
            0xFF => at += 1,
            // A stuffed 0xFF, a restart, or another marker without a segment.
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            _ => {
                let length = bytes.get(at + 2..at + 4).ok_or_else(cut_off)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
        }
    }
}
