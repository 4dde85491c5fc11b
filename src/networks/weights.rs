//! State dicts: named tensors as a file holds them, checked as they are taken out.
//!
//! A network takes each tensor it needs by name and shape through a [`Scope`]; what is missing, surplus, misshapen or not
//! finite is refused by name. Nothing is converted before its shape is known to be the expected one, so a hostile file
//! cannot ask for more memory than the network itself would use.
//!
//! [`Weights::untrained`] has no file behind it: each tensor is made up when a network asks for it.

mod dtype;
mod legacy;
mod pickle;
mod safetensors;
mod scope;
mod state_dict;
mod stored;
mod untrained;
mod zipped;

pub use scope::Scope;

use super::{Form, Part};
use crate::gpu::first_line;
use dtype::Dtype;
use std::collections::{BTreeMap, BTreeSet};
use stored::Stored;
use tch::{Device, TchError};

/// No state dict of ours comes near this: the largest network's, in float32, is 270 MB.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Tensor names are dotted paths of identifiers; the longest of ours has 40 letters.
const MAX_NAME: usize = 200;

/// PyTorch counts batches in training; inference has no use for the count.
const IGNORED_SUFFIX: &str = "num_batches_tracked";

/// Why a state dict was refused. The caller knows the file's name and says it.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is larger than any state dict of ours.
    #[error("it has more than {MAX_FILE_BYTES} bytes, the most that is read")]
    TooLarge,
    /// The content is of no known format.
    #[error("it is neither a safetensors file nor a state_dict written by torch.save")]
    UnknownFormat,
    /// The format is known, the content contradicts it.
    #[error("it is damaged or is no state_dict: {0}")]
    Damaged(String),
    /// A pickle asks for a name that a state dict does not need, which in Python could run code.
    #[error(
        "it asks for `{0}`, which no plain state_dict needs and which is not executed; save it again with \
         torch.save(model.state_dict(), ...)"
    )]
    Forbidden(String),
    /// A tensor that the network needs is not there.
    #[error("tensor `{0}` is missing; is this the right architecture?")]
    Missing(String),
    /// A tensor is there that the network does not have.
    #[error("tensor `{name}` (and {others} more) does not belong to this architecture")]
    Surplus {
        /// The first of them in alphabetical order.
        name: String,
        /// How many there are besides.
        others: usize,
    },
    /// A tensor has another shape than the network's.
    #[error("tensor `{name}` has shape {found:?}, but {expected:?} is needed")]
    Shape {
        /// The tensor's full name.
        name: String,
        /// The file's shape.
        found: Vec<usize>,
        /// The architecture's shape.
        expected: Vec<i64>,
    },
    /// A tensor's description or values are not usable.
    #[error("tensor `{name}` {reason}")]
    Tensor {
        /// The tensor's full name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// libtorch itself refused.
    #[error("libtorch failed: {}", first_line(.0))]
    Torch(TchError),
}

impl From<TchError> for WeightsError {
    fn from(error: TchError) -> Self {
        Self::Torch(error)
    }
}

/// A file's own words may be long or hold line breaks: an error message repeats neither.
fn printable(words: &str) -> String {
    words.chars().take(MAX_NAME).flat_map(char::escape_debug).collect()
}

impl WeightsError {
    fn tensor(name: &str, reason: impl Into<String>) -> Self {
        Self::Tensor { name: printable(name), reason: reason.into() }
    }
}

/// The named tensors of one file, or untrained ones of any name.
pub struct Weights {
    bytes: Vec<u8>,
    tensors: BTreeMap<String, Stored>,
    taken: BTreeSet<String>,
    /// How many numbers the taken tensors hold.
    numbers: u64,
    /// There is no file: what is asked for is made up.
    is_untrained: bool,
    /// What a network that is to learn is made of; none for one that is not.
    pub(super) parts: Option<Vec<Part>>,
    /// For a network that learns: the share of its dropout and stochastic depth that is in force.
    pub(super) omission: f64,
    device: Device,
}

impl Weights {
    /// Reads the bytes of a `.safetensors`, `.pt` or `.pth` file; the content decides which it is, not the name.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeightsError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(WeightsError::TooLarge);
        }
        let mut tensors = if zipped::recognises(&bytes) {
            zipped::tensors(&bytes)?
        } else if legacy::recognises(&bytes) {
            legacy::tensors(&bytes)?
        } else if safetensors::recognises(&bytes) {
            safetensors::tensors(&bytes)?
        } else {
            return Err(WeightsError::UnknownFormat);
        };
        // error messages and logs repeat these names
        if tensors.keys().any(|name| name.len() > MAX_NAME || name.contains(|c: char| !c.is_ascii_graphic())) {
            return Err(WeightsError::Damaged("it names a tensor otherwise than by a dotted path".to_owned()));
        }
        tensors.retain(|name, _| !is_ignored(name));
        Ok(Self { bytes, tensors, ..Self::none() })
    }

    /// What a network begins with before it is trained: every tensor that is asked for, with the shape that is asked for.
    ///
    /// Seeds libtorch's generators, so that two runs of one seed begin alike.
    pub fn untrained(seed: u64) -> Self {
        untrained::begin(seed);
        Self { is_untrained: true, ..Self::none() }
    }

    fn none() -> Self {
        Self {
            bytes: Vec::new(),
            tensors: BTreeMap::new(),
            taken: BTreeSet::new(),
            numbers: 0,
            is_untrained: false,
            parts: None,
            omission: 0.0,
            device: Device::Cpu,
        }
    }

    /// The same weights, given out as tensors on a device (at first the CPU).
    pub fn on(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// The place from which all names are relative: the network's own root.
    pub fn root(&mut self, form: Form) -> Scope<'_> {
        Scope::root(self, form)
    }

    /// Gives tensors other names, where `new` knows one.
    pub fn rename(&mut self, new: impl Fn(&str) -> Option<String>) {
        for (name, renamed) in
            self.tensors.keys().filter_map(|name| Some((name.clone(), new(name)?))).collect::<Vec<_>>()
        {
            // where the file has both, the old one stays, and is named as surplus
            if !self.tensors.contains_key(&renamed)
                && let Some(stored) = self.tensors.remove(&name)
            {
                self.tensors.insert(renamed, stored);
            }
        }
    }

    /// Every tensor's name and its shape, in alphabetical order; batch counters are left out.
    pub fn names(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, stored)| (name.as_str(), stored.shape()))
    }

    /// One tensor's values in float32, row-major; refused when one of them is not finite.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let stored = self.tensors.get(name).ok_or_else(|| WeightsError::Missing(name.to_owned()))?;
        if stored.dtype() == Dtype::I64 {
            return Err(WeightsError::tensor(name, "holds int64, but weights are floats"));
        }
        let values = stored.values(&self.bytes);
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(WeightsError::tensor(name, format!("holds a value that is not finite ({value})"))),
            None => Ok(values),
        }
    }

    /// Ends a building: refuses what nobody took.
    pub fn finish(&self) -> Result<(), WeightsError> {
        let mut surplus = self.tensors.keys().filter(|name| !self.taken.contains(*name));
        match surplus.next() {
            Some(name) => Err(WeightsError::Surplus { name: name.clone(), others: surplus.count() }),
            None => Ok(()),
        }
    }

    /// The same tensors as a safetensors file in float16; one with a value beyond float16's range stays float32.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, WeightsError> {
        let tensors = self.names().map(|(name, shape)| Ok((name, shape.to_vec(), self.values(name)?)));
        to_safetensors(tensors.collect::<Result<Vec<_>, WeightsError>>()?)
    }
}

/// Tensors by name, shape and row-major values as a safetensors file in float16, float32 where a value does not fit.
pub fn to_safetensors<'a>(
    tensors: impl IntoIterator<Item = (&'a str, Vec<usize>, Vec<f32>)>,
) -> Result<Vec<u8>, WeightsError> {
    safetensors::write(tensors)
}

fn is_ignored(name: &str) -> bool {
    name.rsplit('.').next() == Some(IGNORED_SUFFIX)
}
