//! The markers of a JPEG (ITU-T T.81 B): where it ends, and a flaw of old encoders.

use crate::radiograph::Refusal;
use image::metadata::Orientation;
use std::borrow::Cow;
use std::ops::Range;

/// The marker segments in order, up to EOI; coded data are passed over.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Segments<'_> {
    /// The next segment's marker and the place of its body; `None` at EOI. An error where the bytes end before.
    fn next(&mut self) -> Result<Option<(u8, Range<usize>)>, Refusal> {
        let cut_off = || Refusal::truncated("its JPEG data end before the EOI marker");
        loop {
            let rest = self.bytes.get(self.at..).ok_or_else(cut_off)?;
            self.at += rest.iter().position(|byte| *byte == 0xFF).ok_or_else(cut_off)?;
            match *self.bytes.get(self.at + 1).ok_or_else(cut_off)? {
                0xD9 => return Ok(None),
                0xFF => self.at += 1,
                // A stuffed 0xFF, a restart, or another marker without a segment.
                0x00 | 0x01 | 0xD0..=0xD8 => self.at += 2,
                marker => {
                    let length = self.bytes.get(self.at + 2..self.at + 4).ok_or_else(cut_off)?;
                    let body = self.at + 4;
                    self.at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
                    return Ok(Some((marker, body..self.at)));
                }
            }
        }
    }
}

/// Refuses a JPEG without its EOI marker. That of a thumbnail does not count, for it lies inside an APP segment.
pub(super) fn check_end(bytes: &[u8]) -> Result<(), Refusal> {
    let mut segments = Segments { bytes, at: 2 };
    while segments.next()?.is_some() {}
    Ok(())
}

/// How the picture is to be turned, by its EXIF data (CIPA DC-008, 4.6.4), if it has any.
pub(super) fn orientation(bytes: &[u8]) -> Orientation {
    let mut segments = Segments { bytes, at: 2 };
    while let Ok(Some((marker, body))) = segments.next() {
        let exif = bytes.get(body).and_then(|body| body.strip_prefix(b"Exif\0\0"));
        if let (0xE1, Some(orientation)) = (marker, exif.and_then(Orientation::from_exif_chunk)) {
            return orientation;
        }
    }
    Orientation::NoTransforms
}

/// Sets the spectral selection of sequential scans to what it must be, 0 to 63, and the version of JFIF to 1.
///
/// Some DICOM encoders leave the one at zero, and some programs call the other 2. Nothing depends on either, yet libjpeg warns, and a
/// warning is a refusal here, because the same warnings tell of damaged data.
pub(super) fn mend_headers(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(bytes);
    let mut segments = Segments { bytes, at: 2 };
    let mut sequential = false;
    while let Ok(Some((marker, body))) = segments.next() {
        match (marker, bytes.get(body.clone())) {
            (0xE0, Some([b'J', b'F', b'I', b'F', 0, version, ..])) if *version != 1 => {
                mended.to_mut()[body.start + 5] = 1;
            }
            (0xC0 | 0xC1, _) => sequential = true,
            (0xDA, _) if !sequential => break,
            (0xDA, Some([.., first, last, approximation])) if (*first, *last, *approximation) != (0, 63, 0) => {
                mended.to_mut()[body.end - 3..body.end].copy_from_slice(&[0, 63, 0]);
            }
            _ => {}
        }
    }
    mended
}
