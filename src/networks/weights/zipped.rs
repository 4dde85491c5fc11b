//! torch.save's format since PyTorch 1.6: a zip archive of stored entries.
//!
//! `<root>/data.pkl` is the pickle, `<root>/data/<key>` each storage's bytes, `<root>/byteorder` says "little".
//! Source: <https://docs.pytorch.org/docs/stable/notes/serialization.html>.

use super::{WeightsError, pickle, state_dict, stored::Stored};
use std::{
    collections::BTreeMap,
    io::{self, Cursor},
    ops::Range,
};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

const PICKLE: &str = "/data.pkl";

/// A zip archive's local file header.
pub fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// All tensors of the file.
pub fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Stored>, WeightsError> {
    let entries = entries(bytes)?;
    let root = entries
        .keys()
        .find_map(|name| name.strip_suffix(PICKLE))
        .filter(|root| !root.contains('/'))
        .ok_or_else(|| WeightsError::Damaged("the archive has no data.pkl".to_owned()))?;
    if let Some(order) = entries.get(&format!("{root}/byteorder"))
        && &bytes[order.clone()] != b"little"
    {
        return Err(WeightsError::Damaged("its numbers are big-endian; save it on a common machine".to_owned()));
    }
    let unpickled = pickle::load(&bytes[entries[&format!("{root}{PICKLE}")].clone()])?;
    state_dict::tensors(&unpickled, |key| entries.get(&format!("{root}/data/{key}")).cloned())
}

/// Where each entry's bytes lie, its checksum verified.
fn entries(bytes: &[u8]) -> Result<BTreeMap<String, Range<usize>>, WeightsError> {
    let damaged = |error: ZipError| WeightsError::Damaged(format!("the archive: {error}"));
    let outside = || WeightsError::Damaged("the archive's entries do not fit in the file".to_owned());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut entries = BTreeMap::new();
    let mut left = bytes.len() as u64;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(WeightsError::Damaged("the archive is compressed, as torch.save never does".to_owned()));
        }
        let name = entry.name().map_err(damaged)?.into_owned();
        // entries that overlap would let a small file ask for endless reading
        left = left.checked_sub(entry.size()).ok_or_else(outside)?;
        let start = entry.data_start().and_then(|start| usize::try_from(start).ok()).ok_or_else(outside)?;
        let read = io::copy(&mut entry, &mut io::sink())
            .map_err(|error| WeightsError::Damaged(format!("the archive's entry {name:?}: {error}")))?;
        let end = start.checked_add(read as usize).filter(|&end| end <= bytes.len()).ok_or_else(outside)?;
        entries.insert(name, start..end);
    }
    Ok(entries)
}
