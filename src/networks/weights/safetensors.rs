//! The safetensors format: a JSON header, then the tensors' bytes.
//!
//! Source: <https://github.com/huggingface/safetensors>.

use super::{WeightsError, dtype::Dtype, is_ignored, printable, stored::Stored};
use half::f16;
use safetensors::{SafeTensors, tensor::TensorView};
use std::collections::BTreeMap;

const LENGTH_BYTES: usize = 8;

/// The header is JSON: its first byte, after eight of length, is a brace.
pub fn recognises(bytes: &[u8]) -> bool {
    bytes.get(LENGTH_BYTES) == Some(&b'{')
}

/// All tensors of the file.
pub fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let damaged = |error: safetensors::SafeTensorError| {
        WeightsError::Damaged(format!("the safetensors header says: {}", printable(&error.to_string())))
    };
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let data = LENGTH_BYTES + header;
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        if is_ignored(&name) {
            continue;
        }
        let dtype = dtype(info.dtype)
            .ok_or_else(|| WeightsError::tensor(&name, format!("has the unusable type {:?}", info.dtype)))?;
        let storage = data + info.data_offsets.0..data + info.data_offsets.1;
        let stored = Stored::contiguous(dtype, info.shape.clone(), storage);
        tensors.insert(name.clone(), stored.map_err(|reason| WeightsError::tensor(&name, reason))?);
    }
    Ok(tensors)
}

fn dtype(dtype: safetensors::Dtype) -> Option<Dtype> {
    match dtype {
        safetensors::Dtype::F16 => Some(Dtype::F16),
        safetensors::Dtype::BF16 => Some(Dtype::BF16),
        safetensors::Dtype::F32 => Some(Dtype::F32),
        safetensors::Dtype::F64 => Some(Dtype::F64),
        _ => None,
    }
}

/// A file of the same tensors in float16, float32 where a value does not fit.
pub fn write<'a>(tensors: impl IntoIterator<Item = (&'a str, Vec<usize>, Vec<f32>)>) -> Result<Vec<u8>, WeightsError> {
    let encoded: Vec<_> = tensors.into_iter().map(|(name, shape, values)| (name, shape, encode(&values))).collect();
    let views = encoded
        .iter()
        .map(|(name, shape, (dtype, bytes))| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    views
        .and_then(|views| safetensors::serialize(views, None))
        .map_err(|error| WeightsError::Damaged(format!("it cannot be written as safetensors: {error}")))
}

fn encode(values: &[f32]) -> (safetensors::Dtype, Vec<u8>) {
    if values.iter().all(|&value| f16::from_f32(value).is_finite()) {
        let bytes = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        (safetensors::Dtype::F16, bytes)
    } else {
        (safetensors::Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
}
