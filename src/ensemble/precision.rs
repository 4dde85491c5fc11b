//! In which numbers the networks compute.

use super::DeviceInUse;
use crate::networks::Form;
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::Kind;

/// The user's word for the arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Precision {
    /// The fastest that the device has in hardware: bf16, else float32.
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
#[error("precision {0} needs a GPU, and the networks run on a CPU; set it to auto, bf16 or fp32")]
pub struct NeedsGpu(Precision);

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
    pub fn form(self, device: &DeviceInUse) -> Result<Form, NeedsGpu> {
        let on_gpu = device.device.is_cuda();
        let form = match self {
            Self::Auto if !on_gpu && !cpu_multiplies_bf16() => Form::folded(Kind::Float),
            // a GPU multiplies float16 as fast as bf16; a CPU's next finer numbers are float32
            Self::Auto | Self::Bf16 => {
                Form::Folded { early: if on_gpu { Kind::Half } else { Kind::Float }, late: Kind::BFloat16 }
            }
            Self::Fp16 if on_gpu => Form::folded(Kind::Half),
            Self::Fp16 => return Err(NeedsGpu(self)),
            Self::Fp32 => Form::folded(Kind::Float),
            Self::Reference => Form::Plain,
        };
        Ok(form)
    }
}

/// Whether the CPU multiplies bf16 in hardware; without it, oneDNN converts each number, and float32 is faster.
#[cfg(target_arch = "x86_64")]
fn cpu_multiplies_bf16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_multiplies_bf16() -> bool {
    false
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

impl TryFrom<String> for Precision {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> String {
        precision.as_str().to_owned()
    }
}
