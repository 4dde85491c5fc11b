//! Phantoms as DICOM: Digital X-Ray Image for presentation (PS3.3 A.26), as a detector's workstation sends it.

use super::{FILM_SPACING, KNEE_SPACING, Picture, chance::mix, frame};
use crate::side::Side;
use dicom_core::{DataElement, PrimitiveValue, VR, value::PixelFragmentSequence};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// How the pixels are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Explicit VR Little Endian, MONOCHROME2.
    ExplicitLittleEndian,
    /// Implicit VR Little Endian, MONOCHROME2.
    ImplicitLittleEndian,
    /// JPEG-LS Lossless, MONOCHROME1: the lowest value is white.
    JpegLs,
    /// RLE Lossless, MONOCHROME2.
    Rle,
}

/// Which knees are on the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knees {
    /// One knee; of an unknown side where the film does not tell.
    One(Side),
    /// Both.
    Both,
}

/// Whose film it is said to be, and when it was taken.
#[derive(Clone, Debug)]
pub struct Subject {
    /// All UIDs follow from it; two films of one seed are one film.
    pub seed: u64,
    /// Image Laterality (0020,0062).
    pub knees: Knees,
    /// Patient ID (0010,0020).
    pub patient_id: String,
    /// Patient's Name (0010,0010), as `Family^Given`.
    pub patient_name: String,
    /// Study Date (0008,0020), as `20250331`.
    pub study_date: String,
}

impl Subject {
    /// Somebody who does not exist.
    pub fn new(seed: u64, knees: Knees) -> Self {
        Self {
            seed,
            knees,
            patient_id: format!("PHANTOM-{seed}"),
            patient_name: format!("Phantom^Number {seed}"),
            study_date: "20250331".to_owned(),
        }
    }

    /// A UID of the film: `2.25.` and a number of 128 bits as UUIDs have them (PS3.5 B.2).
    fn uid(&self, role: u64) -> String {
        let half = |part: u64| u128::from(mix(self.seed ^ mix(2 * role + part)));
        let bits = half(0) << 64 | half(1);
        // version 8 (RFC 9562): a custom UUID, not random and not of a time
        let uuid = bits & !(0xf << 76) & !(0b11 << 62) | 0x8 << 76 | 0b10 << 62;
        format!("2.25.{uuid}")
    }
}

/// A phantom that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PhantomError {
    /// A side that DICOM's 16 bit Rows and Columns cannot hold.
    #[error("A DICOM picture has 1 to 65535 rows and columns, not {0} columns and {1} rows; take a smaller picture.")]
    Size(u32, u32),
    /// CharLS refused.
    #[error("The phantom could not be coded as JPEG-LS: {0}.")]
    JpegLs(charls::Error),
    /// The DICOM writer refused.
    #[error("The phantom could not be written as DICOM; use plain text in its subject.")]
    Dicom(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The PNG or JPEG writer refused.
    #[error("The phantom could not be written as a picture.")]
    Raster(#[source] image::ImageError),
}

/// The picture as a DICOM file, 16 bits allocated, 12 stored, with a window over all of them.
pub fn dicom(picture: &Picture, subject: &Subject, coding: Coding) -> Result<Vec<u8>, PhantomError> {
    let (width, height) = picture.dimensions();
    let (Ok(columns @ 1..), Ok(rows @ 1..)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(PhantomError::Size(width, height));
    };
    let inverse = coding == Coding::JpegLs;
    let stored: Vec<u16> = picture.iter().map(|value| if inverse { 4095 - value.min(&4095) } else { *value }).collect();

    let mut object = describe(subject, columns, rows);
    let interpretation = if inverse { ["MONOCHROME1", "INVERSE", "1"] } else { ["MONOCHROME2", "IDENTITY", "-1"] };
    text(&mut object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, interpretation[0]);
    text(&mut object, tags::PRESENTATION_LUT_SHAPE, VR::CS, interpretation[1]);
    object.put(DataElement::new(
        tags::PIXEL_INTENSITY_RELATIONSHIP_SIGN,
        VR::SS,
        PrimitiveValue::from(if inverse { 1i16 } else { -1 }),
    ));
    let syntax = match coding {
        Coding::ExplicitLittleEndian => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        Coding::ImplicitLittleEndian => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        Coding::JpegLs => uids::JPEGLS_LOSSLESS,
        Coding::Rle => uids::RLE_LOSSLESS,
    };
    let coded = match coding {
        Coding::ExplicitLittleEndian | Coding::ImplicitLittleEndian => None,
        Coding::JpegLs => Some(frame::jpeg_ls(&stored, width, height)?),
        Coding::Rle => Some(frame::rle(&stored, width)),
    };
    if let Some(mut fragment) = coded {
        fragment.resize(fragment.len().next_multiple_of(2), 0); // PS3.5 A.4: an even number of bytes
        let frame = PixelFragmentSequence::new(vec![0u32], vec![fragment]);
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, frame));
    } else {
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(stored.into())));
    }
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    let file = object.with_meta(meta).map_err(|error| PhantomError::Dicom(error.into()))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|error| PhantomError::Dicom(error.into()))?;
    Ok(bytes)
}

/// All but the pixels.
fn describe(subject: &Subject, columns: u16, rows: u16) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    let (laterality, spacing) = match subject.knees {
        Knees::One(Side::Left) => ("L", KNEE_SPACING),
        Knees::One(Side::Right) => ("R", KNEE_SPACING),
        Knees::One(Side::Unknown) => ("U", KNEE_SPACING),
        Knees::Both => ("B", FILM_SPACING),
    };
    let spacing = format!("{spacing}\\{spacing}");
    for (tag, vr, value) in [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        (tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY"),
        (tags::SOP_CLASS_UID, VR::UI, uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION),
        (tags::SOP_INSTANCE_UID, VR::UI, &subject.uid(3)),
        (tags::STUDY_INSTANCE_UID, VR::UI, &subject.uid(1)),
        (tags::SERIES_INSTANCE_UID, VR::UI, &subject.uid(2)),
        (tags::STUDY_DATE, VR::DA, &subject.study_date),
        (tags::CONTENT_DATE, VR::DA, &subject.study_date),
        (tags::STUDY_TIME, VR::TM, "120000"),
        (tags::CONTENT_TIME, VR::TM, "120000"),
        (tags::ACCESSION_NUMBER, VR::SH, ""),
        (tags::MODALITY, VR::CS, "DX"),
        (tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PRESENTATION"),
        (tags::MANUFACTURER, VR::LO, "kellgrend phantom"),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, ""),
        (tags::STUDY_DESCRIPTION, VR::LO, "Phantom knee"),
        (tags::PATIENT_NAME, VR::PN, &subject.patient_name),
        (tags::PATIENT_ID, VR::LO, &subject.patient_id),
        (tags::PATIENT_BIRTH_DATE, VR::DA, ""),
        (tags::PATIENT_SEX, VR::CS, ""),
        (tags::BODY_PART_EXAMINED, VR::CS, "KNEE"),
        (tags::VIEW_POSITION, VR::CS, "AP"),
        (tags::STUDY_ID, VR::SH, "1"),
        (tags::SERIES_NUMBER, VR::IS, "1"),
        (tags::INSTANCE_NUMBER, VR::IS, "1"),
        (tags::PATIENT_ORIENTATION, VR::CS, "L\\F"),
        (tags::IMAGE_LATERALITY, VR::CS, laterality),
        (tags::IMAGER_PIXEL_SPACING, VR::DS, &spacing),
        (tags::BURNED_IN_ANNOTATION, VR::CS, "NO"),
        (tags::PIXEL_INTENSITY_RELATIONSHIP, VR::CS, "LOG"),
        (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"),
        (tags::WINDOW_CENTER, VR::DS, "2048"),
        (tags::WINDOW_WIDTH, VR::DS, "4096"),
        (tags::RESCALE_INTERCEPT, VR::DS, "0"),
        (tags::RESCALE_SLOPE, VR::DS, "1"),
        (tags::RESCALE_TYPE, VR::LO, "US"),
    ] {
        text(&mut object, tag, vr, value);
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, rows),
        (tags::COLUMNS, columns),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    object
}

fn text(object: &mut InMemDicomObject, tag: dicom_core::Tag, vr: VR, value: &str) {
    let values: Vec<String> = value.split('\\').map(str::to_owned).collect();
    let value = if value.is_empty() { PrimitiveValue::Empty } else { PrimitiveValue::Strs(values.into()) };
    object.put(DataElement::new(tag, vr, value));
}
