//! In which numbers the networks compute.

use super::DeviceInUse;
use crate::networks::Form;
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::Kind;

/// The user's word for the arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest that the device has in hardware: bf16, else float16 on a GPU and float32 on a CPU.
    #[default]
    Auto,
    /// bfloat16 behind a first stage in finer numbers.
    Bf16,
    /// IEEE half precision; on a GPU only.
    Fp16,
    /// float32.
    Fp32,
    /// float32, layer by layer as torchvision computes it: what the others are held against.
    Reference,
}

/// A precision that the device does not have.
#[derive(Debug, thiserror::Error)]
#[error("precision {precision} cannot be had on {device}; set it to auto or fp32")]
pub struct Unavailable {
    precision: Precision,
    device: String,
}

impl Precision {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Bf16, Self::Fp16, Self::Fp32, Self::Reference];

    /// The word in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
            Self::Fp32 => "fp32",
            Self::Reference => "reference",
        }
    }

    /// The word for a form: never `auto`.
    pub fn of(form: Form) -> Self {
        match form {
            Form::Plain => Self::Reference,
            Form::Folded { late: Kind::BFloat16, .. } => Self::Bf16,
            Form::Folded { late: Kind::Half, .. } => Self::Fp16,
            Form::Folded { .. } => Self::Fp32,
        }
    }

    /// The form in which networks are built for this precision on a device.
    pub fn form(self, device: &DeviceInUse) -> Result<Form, Unavailable> {
        let on_gpu = device.device.is_cuda();
        // a GPU multiplies float16 as fast as bf16; a CPU's next finer numbers are float32
        let finer = if on_gpu { Kind::Half } else { Kind::Float };
        Ok(match self {
            Self::Auto if !device.multiplies_bf16 => Form::folded(finer),
            Self::Bf16 if on_gpu && !device.multiplies_bf16 => {
                return Err(Unavailable { precision: self, device: device.to_string() });
            }
            Self::Auto | Self::Bf16 => Form::Folded { early: finer, late: Kind::BFloat16 },
            Self::Fp16 if on_gpu => Form::folded(Kind::Half),
            Self::Fp16 => return Err(Unavailable { precision: self, device: device.to_string() }),
            Self::Fp32 => Form::folded(Kind::Float),
            Self::Reference => Form::Plain,
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.as_str() == word)
            .ok_or_else(|| format!("{word:?} is not a precision ({})", Self::ALL.map(Self::as_str).join(", ")))
    }
}
