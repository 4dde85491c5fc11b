//! A DICOM file (PS3.10 7.1): preamble, file meta information, data set; or a data set alone.

use super::data_set::{DataSet, twice};
use super::elements::{Elements, Encoding, is_vr};
use super::subject;
use super::syntax::Syntax;
use crate::radiograph::{Limits, Refusal};
use dicom_dictionary_std::{tags, uids};
use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;

const PREAMBLE: usize = 128;
/// The classes of films; an object of theirs without pixels is one that has not arrived.
const RADIOGRAPHS: [&str; 4] = [
    uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
    uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
];

/// Whether the bytes have the magic word after the preamble.
pub(crate) fn is_part_10(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM")
}

/// Whether the bytes look like file meta information or a data set without a preamble.
pub(crate) fn is_bare_data_set(bytes: &[u8]) -> bool {
    bare_encoding(bytes).is_some()
}

/// The layout of a bare data set, told by its first element: a group 0002 or 0008 element that starts every object.
fn bare_encoding(bytes: &[u8]) -> Option<Encoding> {
    let [g0, g1, e0, e1, a, b, c, d] = *bytes.first_chunk()?;
    match ([g0, g1], [e0, e1]) {
        ([2 | 8, 0], [_, 0]) if is_vr([a, b]) => Some(Encoding::EXPLICIT_LITTLE),
        ([0, 8], [0, _]) if is_vr([a, b]) => Some(Encoding::EXPLICIT_BIG),
        // Without a VR only a small, even length tells it from chance.
        ([8, 0], [_, 0]) if c == 0 && d == 0 && b == 0 && a % 2 == 0 => Some(Encoding::IMPLICIT_LITTLE),
        _ => None,
    }
}

/// A file with every length checked.
pub(super) struct File<'a> {
    pub data_set: DataSet<'a>,
    /// How the pixels are coded; `None` where nothing says, which can only be native.
    pub syntax: Option<Syntax>,
    /// The object is a DICOMDIR.
    pub directory: bool,
    /// The modality, or where it has not come the class in the meta information, is that of a film.
    radiograph: bool,
}

impl<'a> File<'a> {
    /// Reads the meta information, inflates where needed, and walks the data set.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        let start = if is_part_10(bytes) { PREAMBLE + 4 } else { 0 };
        let (mut uid, mut class) = (None, None);
        let mut meta = Elements::new(bytes, start, Encoding::EXPLICIT_LITTLE, limits.max_bytes);
        // The group length is often wrong; the group of the next element never is.
        while meta.next_tag().is_some_and(|tag| tag.group() == 2) {
            let Some(element) = meta.next()? else { break };
            let value = text(&bytes[element.value.clone()]);
            let before = match element.tag {
                tags::TRANSFER_SYNTAX_UID => uid.replace(value),
                tags::MEDIA_STORAGE_SOP_CLASS_UID => class.replace(value),
                _ => None,
            };
            if before.is_some_and(|before| before != value) {
                return Err(twice(element.tag));
            }
        }
        let at = meta.position();
        let told = bare_encoding(bytes.get(at..).unwrap_or_default());
        let (encoding, syntax) = match uid {
            Some(uid) => {
                let syntax = Syntax::from_uid(uid)?;
                if !syntax.deflated && told.is_some_and(|told| told != syntax.encoding) {
                    return Err(Refusal::damaged("its data set is not laid out as its transfer syntax says"));
                }
                (syntax.encoding, Some(syntax))
            }
            // PS3.10 wants a transfer syntax. Without one the first element tells the layout of a native data set.
            None => (told.unwrap_or(Encoding::IMPLICIT_LITTLE), None),
        };
        let (bytes, at) = if syntax.as_ref().is_some_and(|syntax| syntax.deflated) {
            (Cow::Owned(inflate(bytes.get(at..).unwrap_or_default(), limits.decoded_bytes())?), 0)
        } else {
            (Cow::Borrowed(bytes), at)
        };
        let data_set = DataSet::read(bytes, at, encoding, limits.max_bytes)?;
        let directory = class == Some(uids::MEDIA_STORAGE_DIRECTORY_STORAGE)
            || data_set.element(tags::DIRECTORY_RECORD_SEQUENCE).is_some();
        let radiograph = match (subject::is_radiography(&data_set), class) {
            (Some(false), _) | (None, None) => false,
            // what a device keeps beside a film, with the film's modality
            (Some(true), class) => class != Some(uids::RAW_DATA_STORAGE),
            (None, Some(class)) => RADIOGRAPHS.contains(&class),
        };
        Ok(Self { data_set, syntax, directory, radiograph })
    }

    /// Refuses an image object whose pixel data have not come: the file ends between two elements.
    pub fn check_end(&self) -> Result<(), Refusal> {
        if self.data_set.is_empty() {
            return Err(Refusal::truncated("nothing follows its header"));
        }
        if self.directory {
            return Ok(());
        }
        let promised = self.radiograph || self.data_set.element(tags::ROWS).is_some();
        if promised && !subject::has_pixels(&self.data_set) {
            return Err(Refusal::truncated("it announces a picture, but its pixel data are missing"));
        }
        Ok(())
    }
}

/// A UID without its padding.
fn text(raw: &[u8]) -> &str {
    std::str::from_utf8(raw).unwrap_or_default().trim_end_matches(['\0', ' '])
}

/// Inflates raw deflate (PS3.5 A.5) up to a cap: a bomb of a few bytes can ask for gigabytes.
fn inflate(deflated: &[u8], cap: u64) -> Result<Vec<u8>, Refusal> {
    let mut inflater = Decompress::new(false);
    let mut inflated = Vec::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let rest = deflated.get(read as usize..).unwrap_or_default();
        let status = inflater
            .decompress(rest, &mut block, FlushDecompress::None)
            .map_err(|_| Refusal::damaged("its deflated data set does not inflate"))?;
        inflated.extend_from_slice(&block[..(inflater.total_out() - written) as usize]);
        if inflated.len() as u64 > cap {
            return Err(Refusal::TooLarge(format!("its data set inflates to more than {cap} bytes")));
        }
        match status {
            Status::StreamEnd => return Ok(inflated),
            _ if (read, written) == (inflater.total_in(), inflater.total_out()) => {
                return Err(Refusal::truncated("its deflated data set has no end"));
            }
            _ => {}
        }
    }
}
