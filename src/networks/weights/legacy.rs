//! torch.save's format before PyTorch 1.6: five pickles, then each storage's element count and bytes.
//!
//! Source: `torch/serialization.py`, `_legacy_save`.

use super::{
    WeightsError,
    pickle::{self, Unpickled, Value},
    state_dict,
    stored::Stored,
};
use std::{collections::BTreeMap, collections::HashMap, ops::Range};

/// The first pickle: the magic number 0x1950a86a20f9469cfc6c, protocol 2.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

const VERSION: i64 = 1001;

/// Begins with the magic number's pickle.
pub fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// All tensors of the file.
pub fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let damaged = |reason: &str| WeightsError::Damaged(reason.to_owned());
    let mut at = MAGIC.len();
    let mut next = || -> Result<Unpickled, WeightsError> {
        let unpickled = pickle::load(&bytes[at..])?;
        at += unpickled.length;
        Ok(unpickled)
    };
    if !matches!(next()?.value, Value::Int(VERSION)) {
        return Err(damaged("its protocol version is not 1001"));
    }
    let system = next()?;
    if !matches!(system.entry("little_endian"), Some(Value::Bool(true))) {
        return Err(damaged("its numbers are not said to be little-endian; save it on a common machine"));
    }
    let state = next()?;
    let keys = next()?;
    let storages = storages(bytes, at, &keys, &state)?;
    state_dict::tensors(&state, |key| storages.get(key).cloned())
}

/// Where each storage's bytes lie: they follow each other in the order of the keys.
fn storages(
    bytes: &[u8],
    mut at: usize,
    keys: &Unpickled,
    state: &Unpickled,
) -> Result<HashMap<String, Range<usize>>, WeightsError> {
    let damaged = || WeightsError::Damaged("it ends inside its storages".to_owned());
    let mut storages = HashMap::new();
    for key in keys.items() {
        let Value::Text(key) = key else {
            return Err(WeightsError::Damaged("a storage's key is not a text".to_owned()));
        };
        let dtype = state
            .storage_dtype(key)
            .ok_or_else(|| WeightsError::Damaged("it holds a storage that no tensor uses".to_owned()))?;
        let count: [u8; 8] = bytes.get(at..at + 8).and_then(|count| count.try_into().ok()).ok_or_else(damaged)?;
        at += 8;
        let length = usize::try_from(i64::from_le_bytes(count)).ok().and_then(|n| n.checked_mul(dtype.size()));
        let end = length.and_then(|n| at.checked_add(n)).filter(|&end| end <= bytes.len()).ok_or_else(damaged)?;
        storages.insert(key.to_string(), at..end);
        at = end;
    }
    Ok(storages)
}
