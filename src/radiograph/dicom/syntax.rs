//! Transfer syntaxes (PS3.5 A): how the data set is laid out and how the pixels are coded.

use super::elements::Encoding;
use crate::radiograph::Refusal;
use dicom_dictionary_std::uids;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

/// How pixel data are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Native,
    Rle,
    Jpeg,
    Jpeg2000,
    JpegLs,
}

/// A transfer syntax that this program reads.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    pub uid: String,
    /// The standard's name.
    pub name: &'static str,
    pub encoding: Encoding,
    pub deflated: bool,
    pub coding: Coding,
}

impl Syntax {
    /// Looks up a UID; one that is not read is refused by its standard name.
    #[expect(deprecated, reason = "big endian is retired, but archives still hold it")]
    pub fn from_uid(uid: &str) -> Result<Self, Refusal> {
        let (encoding, coding) = match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => (Encoding::IMPLICIT_LITTLE, Coding::Native),
            uids::EXPLICIT_VR_LITTLE_ENDIAN | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => {
                (Encoding::EXPLICIT_LITTLE, Coding::Native)
            }
            uids::EXPLICIT_VR_BIG_ENDIAN => (Encoding::EXPLICIT_BIG, Coding::Native),
            uids::RLE_LOSSLESS => (Encoding::EXPLICIT_LITTLE, Coding::Rle),
            uids::JPEG_BASELINE8_BIT | uids::JPEG_EXTENDED12_BIT | uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => {
                (Encoding::EXPLICIT_LITTLE, Coding::Jpeg)
            }
            uids::JPEG2000_LOSSLESS | uids::JPEG2000 => (Encoding::EXPLICIT_LITTLE, Coding::Jpeg2000),
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => (Encoding::EXPLICIT_LITTLE, Coding::JpegLs),
            other => return Err(Refusal::unsupported(format!("its transfer syntax is {}", name(other)))),
        };
        let deflated = uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        Ok(Self { uid: uid.to_owned(), name: name(uid), encoding, deflated, coding })
    }
}

/// The standard's name of a transfer syntax.
fn name(uid: &str) -> &'static str {
    TransferSyntaxRegistry.get(uid).map_or("unknown", |syntax| syntax.name())
}
