//! What a file is, told by its content and never by its name.

use super::{Refusal, dicom};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of file that can hold a radiograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// DICOM Part 10, or a bare data set.
    Dicom,
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// TIFF.
    Tiff,
}

/// Start of image and start of a JPEG-LS frame (ITU-T T.87).
const JPEG_LS: &[u8] = b"\xff\xd8\xff\xf7";

/// What people send by mistake: the bytes at a place that tell it, and its refusal.
const OTHERS: &[(usize, &[u8], Refusal)] = &[
    (0, b"PK\x03\x04", Refusal::Archive("zip archive")),
    (0, b"PK\x05\x06", Refusal::Archive("zip archive")),
    (0, b"\x1f\x8b", Refusal::Archive("gzip archive")),
    (0, b"BZh", Refusal::Archive("bzip2 archive")),
    (0, b"\xfd7zXZ\0", Refusal::Archive("xz archive")),
    (0, b"\x28\xb5\x2f\xfd", Refusal::Archive("zstd archive")),
    (0, b"7z\xbc\xaf\x27\x1c", Refusal::Archive("7z archive")),
    (0, b"Rar!", Refusal::Archive("rar archive")),
    (257, b"ustar", Refusal::Archive("tar archive")),
    (0, b"%PDF", Refusal::NotAnImage("a PDF document")),
    (0, b"GIF8", Refusal::NotAnImage("a GIF file")),
    (0, b"BM", Refusal::NotAnImage("a BMP file")),
    (0, b"II+\0", Refusal::NotAnImage("a BigTIFF file")),
    (0, b"MM\0+", Refusal::NotAnImage("a BigTIFF file")),
    (0, b"RIFF", Refusal::NotAnImage("a RIFF (WebP, AVI or WAV) file")),
    (4, b"ftyp", Refusal::NotAnImage("a HEIC, AVIF or MP4 file")),
    (0, b"\x00\x00\x00\x0cjP  ", Refusal::NotAnImage("a JPEG 2000 file outside DICOM")),
    (0, b"\xff\x4f\xff\x51", Refusal::NotAnImage("a JPEG 2000 file outside DICOM")),
    (0, JPEG_LS, Refusal::NotAnImage("a JPEG-LS file outside DICOM")),
    (0, b"\x7fELF", Refusal::NotAnImage("a program")),
    (0, b"MZ", Refusal::NotAnImage("a program")),
];

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dicom, Self::Png, Self::Jpeg, Self::Tiff];

    /// The format of some bytes, or `None`. DICOM is asked first: its free preamble may hold a TIFF header (PS3.10 7.1).
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if dicom::is_part_10(bytes) {
            Some(Self::Dicom)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") && !bytes.starts_with(JPEG_LS) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
            Some(Self::Tiff)
        } else if dicom::is_bare_data_set(bytes) {
            Some(Self::Dicom)
        } else {
            None
        }
    }

    /// The usual file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Dicom => "dcm",
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Tiff => "tif",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dicom => "DICOM",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
        })
    }
}

/// The refusal for bytes without a [`Format`].
pub(super) fn refuse_other(bytes: &[u8]) -> Refusal {
    let is = |at: usize, magic| bytes.get(at..).is_some_and(|bytes| bytes.starts_with(magic));
    if let Some((_, _, refusal)) = OTHERS.iter().find(|(at, magic, _)| is(*at, magic)) {
        return refusal.clone();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Refusal::truncated("it holds only zero bytes, as a file whose content never arrived");
    }
    let text = bytes.iter().take(512).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    Refusal::NotAnImage(if text { "text" } else { "something unknown" })
}
