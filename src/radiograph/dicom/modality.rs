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
        if let Some(lut) = Lut::read(data_set, tags::MODALITY_LUT_SEQUENCE, pixel.signed)? {
            return Ok(Self::Table(lut));
        }
        let slope = data_set.number(tags::RESCALE_SLOPE)?.filter(|slope| *slope != 0.0).unwrap_or(1.0);
        let line = Self::Line { slope, intercept: data_set.number(tags::RESCALE_INTERCEPT)?.unwrap_or(0.0) };
        if [i16::MIN.into(), u16::MAX.into()].iter().any(|end| !line.apply(*end).is_finite()) {
            return Err(Refusal::damaged("its rescale slope takes pixels beyond all numbers"));
        }
        Ok(line)
    }

    /// Whether its output may be below 0 (PS3.3 C.11.2.1.1).
    pub fn is_signed(&self, pixel: &ImagePixel) -> bool {
        match self {
            Self::Table(_) => false,
            Self::Line { .. } => {
                [0, pixel.mask()].into_iter().any(|end| self.apply(pixel.value(end)) < 0.0) || pixel.signed
            }
        }
    }

    /// The output for a stored value.
    pub fn apply(&self, value: i32) -> f64 {
        match self {
            Self::Table(lut) => lut.entry(value.into()).into(),
            Self::Line { slope, intercept } => f64::from(value) * slope + intercept,
        }
    }
}
