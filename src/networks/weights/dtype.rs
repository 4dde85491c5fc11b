//! The number formats that state dicts use.

use half::{bf16, f16};

/// One element's format, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F16,
    BF16,
    F32,
    F64,
    /// Only batch counters have it.
    I64,
}

impl Dtype {
    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// The elements of `bytes` at the given element indices, as float32. The caller has checked that they are inside.
    pub fn decode(self, bytes: &[u8], indices: impl Iterator<Item = usize>) -> Vec<f32> {
        match self {
            Self::F16 => indices.map(|i| f16::from_le_bytes(element(bytes, i)).to_f32()).collect(),
            Self::BF16 => indices.map(|i| bf16::from_le_bytes(element(bytes, i)).to_f32()).collect(),
            Self::F32 => indices.map(|i| f32::from_le_bytes(element(bytes, i))).collect(),
            Self::F64 => indices.map(|i| f64::from_le_bytes(element(bytes, i)) as f32).collect(),
            Self::I64 => indices.map(|i| i64::from_le_bytes(element(bytes, i)) as f32).collect(),
        }
    }
}

fn element<const N: usize>(bytes: &[u8], index: usize) -> [u8; N] {
    let mut element = [0; N];
    element.copy_from_slice(&bytes[index * N..index * N + N]);
    element
}
