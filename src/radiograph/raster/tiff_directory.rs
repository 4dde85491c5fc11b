//! The first directory of a TIFF (TIFF 6.0, section 2): whether it is there, and the pixels that it tells of.

use crate::radiograph::Refusal;

/// The tags that say where strips lie and how long they are, and the same of tiles (sections 8 and 15).
const PIXELS: [(u32, u32); 2] = [(273, 279), (324, 325)];

/// An entry of a directory: tag, kind, count, and the values or where they lie.
const ENTRY: usize = 12;

/// Kinds of values: two bytes, and four.
const SHORT: u32 = 3;
const LONG: u32 = 4;

struct Tiff<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

/// Refuses a TIFF whose first directory, or strips and tiles of it, lie beyond its end. What contradicts itself is for the decoder.
pub(crate) fn check_end(bytes: &[u8]) -> Result<(), Refusal> {
    let tiff = Tiff { bytes, is_big_endian: bytes.starts_with(b"MM") };
    let start = match tiff.number(tiff.part(4, 4)?) {
        0 => return Err(Refusal::truncated("the place of its TIFF directory is not filled in yet")),
        1..8 => return Err(Refusal::damaged("its TIFF directory lies in its header")),
        start => start,
    };
    let entries = tiff.number(tiff.part(start, 2)?);
    // where the next directory is stands behind the entries
    let directory = tiff.part(start + 2, entries * ENTRY as u32 + 4)?;
    for (offsets, lengths) in PIXELS {
        for (offset, length) in tiff.values(directory, offsets)?.zip(tiff.values(directory, lengths)?) {
            tiff.part(offset, length)?;
        }
    }
    Ok(())
}

impl<'a> Tiff<'a> {
    fn part(&self, offset: u32, length: u32) -> Result<&'a [u8], Refusal> {
        let beyond = || Refusal::damaged("its TIFF directory tells of more than a TIFF can hold");
        let end = offset.checked_add(length).ok_or_else(beyond)?;
        let part = self.bytes.get(offset as usize..end as usize);
        part.ok_or_else(|| Refusal::truncated("its TIFF data end before what its directory tells of"))
    }

    /// What two or four bytes say.
    fn number(&self, bytes: &[u8]) -> u32 {
        let append = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        match self.is_big_endian {
            true => bytes.iter().fold(0, append),
            false => bytes.iter().rev().fold(0, append),
        }
    }

    /// The numbers of a tag; none where the directory has it not, or in a kind that is unusual.
    fn values(&self, directory: &'a [u8], tag: u32) -> Result<impl Iterator<Item = u32>, Refusal> {
        let entry = directory.chunks_exact(ENTRY).find(|entry| self.number(&entry[..2]) == tag);
        let (data, size) = match entry.map(|entry| (entry, self.number(&entry[2..4]))) {
            Some((entry, SHORT)) => (self.data(entry, 2)?, 2),
            Some((entry, LONG)) => (self.data(entry, 4)?, 4),
            _ => (&[][..], 4),
        };
        Ok(data.chunks_exact(size).map(|value| self.number(value)))
    }

    /// What an entry says: values of four bytes and less stand in it.
    fn data(&self, entry: &'a [u8], size: u32) -> Result<&'a [u8], Refusal> {
        let length = self.number(&entry[4..8]).saturating_mul(size);
        match length {
            0..=4 => Ok(&entry[8..8 + length as usize]),
            _ => self.part(self.number(&entry[8..]), length),
        }
    }
}
