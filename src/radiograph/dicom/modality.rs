//! The Modality LUT module (PS3.3 C.11.1): stored values to manufacturer-independent ones.

use super::data_set::DataSet;
use super::image_pixel::ImagePixel;
use super::lut::Lut;
use crate::radiograph::Refusal;
use dicom_dictionary_std::tags;

/// A table or a line.
#[derive(Debug)]
pub(super) enum Modality {
    Table(Lut),
    Line { slope: f64, intercept: f64 },
}

impl Modality {
    /// The film's transformation; the identity where it names none.
    pub fn read(data_set: &DataSet, pixel: &ImagePixel) -> Result<Self, Refusal> {
        if let Some(lut) = Lut::read(data_set, tags::MODALITY_LUT_SEQUENCE, pixel)? {
            return Ok(Self::Table(lut));
        }
        let first = |tag| data_set.numbers(tag).first().copied();
        let slope = first(tags::RESCALE_SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
        Ok(Self::Line { slope, intercept: first(tags::RESCALE_INTERCEPT).unwrap_or(0.0) })
    }

    /// The output for a stored value.
    pub fn apply(&self, value: i32) -> f64 {
        match self {
            Self::Table(lut) => lut.entry(value.into()).into(),
            Self::Line { slope, intercept } => f64::from(value) * slope + intercept,
        }
    }
}
