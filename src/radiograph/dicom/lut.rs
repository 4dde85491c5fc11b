//! Lookup tables as modality and VOI use them (PS3.3 C.11.1.1 and C.11.2.1.1).

use super::data_set::DataSet;
use crate::radiograph::Refusal;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// A table from consecutive input values to 8 to 16 bits.
#[derive(Debug)]
pub(super) struct Lut {
    first: i32,
    values: Vec<u16>,
    bits: u32,
}

impl Lut {
    /// The table in the first item of a sequence, or `None` where there is no item; whether what it is fed may be below 0.
    pub fn read(data_set: &DataSet, sequence: Tag, is_fed_signed: bool) -> Result<Option<Self>, Refusal> {
        let Some(item) = data_set.first_item(sequence)? else { return Ok(None) };
        let damaged = || Refusal::damaged("its lookup table is incomplete");
        let descriptor: Vec<u16> = item.words(tags::LUT_DESCRIPTOR).take(3).collect();
        let [entries, first, bits] = *descriptor.as_slice() else { return Err(damaged()) };
        // 65,536 does not fit in the descriptor and is written as zero.
        let entries = if entries == 0 { 1 << 16 } else { usize::from(entries) };
        let signed = match item.element(tags::LUT_DESCRIPTOR).map(|element| &element.vr) {
            Some(b"SS") => true,
            Some(b"US") => false,
            _ => is_fed_signed,
        };
        let first = if signed { i32::from(first as i16) } else { first.into() };
        let words: Vec<u16> = item.words(tags::LUT_DATA).take(entries).collect();
        let values = match item.value(tags::LUT_DATA) {
            _ if words.len() == entries => words,
            // Some writers pack 8-bit entries two a word.
            Some(bytes) if bits == 8 && bytes.len() >= entries => {
                bytes[..entries].iter().map(|v| (*v).into()).collect()
            }
            _ => return Err(damaged()),
        };
        if !(8..=16).contains(&bits) {
            return Err(Refusal::damaged(format!("its lookup table has {bits} bits an entry")));
        }
        // Some say fewer bits than their entries have, where a single stray one is no reason to make all others dark; some say the
        // bits of a word, where their entries have 8 or 12, and all would be dark.
        let full = (1u32 << bits) - 1;
        let beyond = values.iter().filter(|value| u32::from(**value) > full).count();
        let widest = values.iter().map(|value| 16 - value.leading_zeros()).max().unwrap_or_default();
        let is_narrower = widest >= 8 && widest + 2 <= bits.into();
        let bits = if is_narrower || 20 * beyond > entries { widest } else { bits.into() };
        Ok(Some(Self { first, values, bits }))
    }

    /// The entry for an input; the first or last one outside the table.
    pub fn entry(&self, input: f64) -> u16 {
        let index = (input.round() - f64::from(self.first)).clamp(0.0, (self.values.len() - 1) as f64);
        self.values[index as usize]
    }

    /// The entry for an input as a part of the table's full range.
    pub fn fraction(&self, input: f64) -> f64 {
        f64::from(self.entry(input)) / f64::from((1u32 << self.bits) - 1)
    }
}
