//! The VOI LUT module (PS3.3 C.11.2): which values of interest become black, white and between.

use super::data_set::DataSet;
use super::lut::Lut;
use crate::radiograph::Refusal;
use dicom_dictionary_std::tags;

/// A transformation to 0 (black) .. 1 (white).
#[derive(Debug)]
pub(super) enum Voi {
    Table(Lut),
    /// C.11.2.1.2.1: the default function.
    Linear {
        center: f64,
        width: f64,
    },
    /// C.11.2.1.3.2.
    LinearExact {
        center: f64,
        width: f64,
    },
    /// C.11.2.1.3.1.
    Sigmoid {
        center: f64,
        width: f64,
    },
    /// From the lowest value to the highest.
    Spread {
        low: f64,
        high: f64,
    },
}

impl Voi {
    /// The film's first table, else its first window; `None` where it has neither, or a window that is none.
    pub fn read(data_set: &DataSet, is_fed_signed: bool) -> Result<Option<Self>, Refusal> {
        if let Some(lut) = Lut::read(data_set, tags::VOILUT_SEQUENCE, is_fed_signed)? {
            return Ok(Some(Self::Table(lut)));
        }
        // What is no number says nothing.
        let first = |tag| data_set.number(tag).unwrap_or_default();
        let (Some(center), Some(width)) = (first(tags::WINDOW_CENTER), first(tags::WINDOW_WIDTH)) else {
            return Ok(None);
        };
        Ok(match data_set.text(tags::VOILUT_FUNCTION).as_deref() {
            Some("LINEAR_EXACT") if width > 0.0 => Some(Self::LinearExact { center, width }),
            Some("SIGMOID") if width > 0.0 => Some(Self::Sigmoid { center, width }),
            _ if width >= 1.0 => Some(Self::Linear { center, width }),
            _ => None,
        })
    }

    /// The part of white for a value.
    pub fn apply(&self, value: f64) -> f64 {
        let part = match self {
            Self::Table(lut) => lut.fraction(value),
            Self::Linear { center, width } if *width == 1.0 => step(value > center - 0.5),
            Self::Linear { center, width } => (value - (center - 0.5)) / (width - 1.0) + 0.5,
            Self::LinearExact { center, width } => (value - center) / width + 0.5,
            Self::Sigmoid { center, width } => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
            Self::Spread { low, high } if low < high => (value - low) / (high - low),
            Self::Spread { .. } => 0.0,
        };
        part.clamp(0.0, 1.0)
    }
}

fn step(white: bool) -> f64 {
    if white { 1.0 } else { 0.0 }
}
