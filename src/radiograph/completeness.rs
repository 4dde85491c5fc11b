//! Has all of a file arrived? A dropped transfer leaves a stable file without an end.

use super::{Format, Limits, Refusal, dicom, jpeg_markers, raster};

/// Whether a file has its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// The end is there, or nothing can tell: [`decode`](super::decode) has the last word.
    Complete,
    /// More bytes are due, and why; waiting may help.
    Truncated(String),
}

/// Looks for the end of the pixel data (DICOM), IEND (PNG), EOI (JPEG) or what the directory tells of (TIFF) without decoding. Of an
/// empty file all is still due: some senders make the name first.
///
/// Files of other formats, and files that are wrong in another way, count as complete, for waiting does not mend them.
pub fn completeness(bytes: &[u8], limits: &Limits) -> Completeness {
    let checked = match Format::sniff(bytes) {
        Some(Format::Dicom) => dicom::check_complete(bytes, limits),
        Some(Format::Png) => raster::check_png_end(bytes),
        Some(Format::Jpeg) => jpeg_markers::check_end(bytes),
        Some(Format::Tiff) => raster::check_tiff_end(bytes),
        None if bytes.is_empty() => Err(Refusal::truncated("there is nothing in it yet")),
        None => Err(super::format::refuse_other(bytes)),
    };
    match checked {
        Err(Refusal::Truncated(why)) => Completeness::Truncated(why),
        _ => Completeness::Complete,
    }
}
