//! From what a pickle said to named tensors.

use super::{
    WeightsError, is_ignored,
    pickle::{TensorRef, Unpickled, Value},
    stored::Stored,
};
use std::{collections::BTreeMap, ops::Range};

/// Checkpoints often wrap their weights in a dict beside the optimizer's state.
const WRAPPER: &str = "state_dict";

/// The named tensors of a state dict, plain or wrapped; `storage` finds a storage's bytes by its key.
pub fn tensors(
    unpickled: &Unpickled,
    storage: impl Fn(&str) -> Option<Range<usize>>,
) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let not_a_dict = || WeightsError::Damaged("its content is not a dict of named tensors".to_owned());
    let dict = match unpickled.entry(WRAPPER) {
        Some(Value::Dict(inner)) => unpickled.dict(*inner),
        _ => match unpickled.value {
            Value::Dict(outer) => unpickled.dict(outer),
            _ => return Err(not_a_dict()),
        },
    };
    let mut tensors = BTreeMap::new();
    for (name, value) in dict {
        let Value::Text(name) = name else { return Err(not_a_dict()) };
        if is_ignored(name) {
            continue;
        }
        let Value::Tensor(tensor) = value else {
            return Err(WeightsError::tensor(name, "is not a tensor"));
        };
        let stored = place(tensor, &storage).map_err(|reason| WeightsError::tensor(name, reason))?;
        if tensors.insert(name.to_string(), stored).is_some() {
            return Err(WeightsError::tensor(name, "is there twice"));
        }
    }
    if tensors.is_empty() {
        return Err(WeightsError::Damaged("it holds no tensor".to_owned()));
    }
    Ok(tensors)
}

fn place(tensor: &TensorRef, storage: impl Fn(&str) -> Option<Range<usize>>) -> Result<Stored, String> {
    let bytes = storage(&tensor.storage.key).ok_or("lies in a storage that the file does not hold")?;
    let declared = tensor.storage.count.checked_mul(tensor.storage.dtype.size());
    if declared.is_none_or(|declared| declared > bytes.len()) {
        return Err("lies in a storage that is shorter than it says".to_owned());
    }
    Stored::new(tensor.storage.dtype, tensor.shape.clone(), tensor.strides.clone(), tensor.offset, bytes)
}
