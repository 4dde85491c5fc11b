//! A walk over data elements (PS3.5 7) that believes no length before it is checked.
//!
//! What is checked here is also what is read: no second parser sees the bytes, so none can understand a length otherwise.

use crate::radiograph::Refusal;
use dicom_core::Tag;
use std::ops::Range;

/// The length that means "until the delimiter" (PS3.5 7.5).
const UNDEFINED: u32 = 0xFFFF_FFFF;
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
/// Sequences within sequences; real films have five at the most.
const MAX_DEPTH: usize = 32;
/// Elements, items and fragments in a file; real films have a few hundred.
const MAX_ELEMENTS: usize = 100_000;

/// How elements are laid out (PS3.5 A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub explicit: bool,
    pub big_endian: bool,
}

impl Encoding {
    pub const IMPLICIT_LITTLE: Self = Self { explicit: false, big_endian: false };
    pub const EXPLICIT_LITTLE: Self = Self { explicit: true, big_endian: false };
    pub const EXPLICIT_BIG: Self = Self { explicit: true, big_endian: true };

    pub fn word(self, two: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    }

    fn long(self, four: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

/// Where an element's value lies.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub tag: Tag,
    /// The value representation as written; zero in the implicit encoding.
    pub vr: [u8; 2],
    pub value: Range<usize>,
    /// The length was undefined: the value is a sequence, or encapsulated pixel data.
    pub undefined: bool,
}

struct Header {
    tag: Tag,
    vr: [u8; 2],
    length: u32,
    body: usize,
}

/// Yields one element after the other; what is inside a sequence is passed over.
pub(super) struct Elements<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
    at: usize,
    /// Lengths above this are lies rather than a sign of a missing end.
    max_bytes: u64,
    count: usize,
}

impl<'a> Elements<'a> {
    /// The elements from `at` to the end of `bytes`.
    pub fn new(bytes: &'a [u8], at: usize, encoding: Encoding, max_bytes: u64) -> Self {
        Self { bytes, encoding, at, max_bytes, count: 0 }
    }

    /// Where the next element starts.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The tag of the next element.
    pub fn next_tag(&self) -> Option<Tag> {
        let [g0, g1, e0, e1] = self.array(self.at)?;
        Some(Tag(self.encoding.word([g0, g1]), self.encoding.word([e0, e1])))
    }

    /// The next element, or `None` at the end.
    pub fn next(&mut self) -> Result<Option<Element>, Refusal> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let Header { tag, vr, length, body } = self.header(self.at, self.encoding)?;
        if tag.group() == 0xFFFE {
            return Err(not_an_element(self.at));
        }
        let value = if length == UNDEFINED {
            let (value, after) = self.skip_undefined(body, inner(self.encoding, vr))?;
            self.at = after;
            value
        } else {
            self.at = self.end(body, length, tag)?;
            body..self.at
        };
        Ok(Some(Element { tag, vr, value, undefined: length == UNDEFINED }))
    }

    /// The items of a sequence's value, or the fragments of encapsulated pixel data.
    pub fn items(&mut self, value: Range<usize>) -> Result<Vec<Range<usize>>, Refusal> {
        let mut items = Vec::new();
        let mut at = value.start;
        while at < value.end {
            let ends_inside = || Refusal::damaged(format!("its sequence ends inside the item at byte {at}"));
            if value.end - at < 8 {
                return Err(ends_inside());
            }
            let (tag, length) = self.item_header(at, self.encoding)?;
            let (inside, after) = match tag {
                SEQUENCE_END => break,
                ITEM if length == UNDEFINED => self.skip_open_item(at + 8)?,
                ITEM => {
                    let after = (at + 8).saturating_add(length as usize);
                    (at + 8..after, after)
                }
                _ => return Err(not_an_item(at)),
            };
            if after > value.end {
                return Err(ends_inside());
            }
            items.push(inside);
            at = after;
        }
        Ok(items)
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    fn ends_at(&self, at: usize) -> Refusal {
        Refusal::truncated(format!("its {} bytes end inside the element at byte {at}", self.bytes.len()))
    }

    /// The tag and length at `at`.
    fn header(&mut self, at: usize, encoding: Encoding) -> Result<Header, Refusal> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(Refusal::damaged(format!("it has more than {MAX_ELEMENTS} data elements")));
        }
        let start: [u8; 8] = self.array(at).ok_or_else(|| self.ends_at(at))?;
        let [g0, g1, e0, e1, a, b, c, d] = start;
        let tag = Tag(encoding.word([g0, g1]), encoding.word([e0, e1]));
        if tag == Tag(0, 0) {
            return Err(Refusal::truncated(format!("zeros stand at byte {at}, where an element should be")));
        }
        if !encoding.explicit || tag.group() == 0xFFFE {
            return Ok(Header { tag, vr: [0; 2], length: encoding.long([a, b, c, d]), body: at + 8 });
        }
        if !has_long_length([a, b]) {
            return Ok(Header { tag, vr: [a, b], length: encoding.word([c, d]).into(), body: at + 8 });
        }
        let length = self.array(at + 8).ok_or_else(|| self.ends_at(at))?;
        Ok(Header { tag, vr: [a, b], length: encoding.long(length), body: at + 12 })
    }

    fn item_header(&mut self, at: usize, encoding: Encoding) -> Result<(Tag, u32), Refusal> {
        self.header(at, Encoding { explicit: false, ..encoding }).map(|header| (header.tag, header.length))
    }

    /// The end of a value, which must lie within the bytes.
    fn end(&self, body: usize, length: u32, tag: Tag) -> Result<usize, Refusal> {
        if u64::from(length) > self.max_bytes {
            return Err(Refusal::damaged(format!("its element {tag} declares {length} bytes")));
        }
        match body.checked_add(length as usize) {
            Some(end) if end <= self.bytes.len() => Ok(end),
            _ => Err(Refusal::truncated(format!(
                "its element {tag} declares {length} bytes and {} are left",
                self.bytes.len().saturating_sub(body)
            ))),
        }
    }

    /// Passes over a sequence of undefined length whose first item is at `at`: its value, and where the next element is.
    fn skip_undefined(&mut self, at: usize, encoding: Encoding) -> Result<(Range<usize>, usize), Refusal> {
        self.skip(at, Open::Sequence(encoding))
    }

    fn skip_open_item(&mut self, at: usize) -> Result<(Range<usize>, usize), Refusal> {
        self.skip(at, Open::Item(self.encoding))
    }

    /// Follows delimiters with a stack of its own, so that nesting costs no call stack.
    fn skip(&mut self, start: usize, outermost: Open) -> Result<(Range<usize>, usize), Refusal> {
        let mut at = start;
        let mut open = vec![outermost];
        while let Some(innermost) = open.last().copied() {
            if open.len() > 2 * MAX_DEPTH {
                return Err(Refusal::damaged(format!("its sequences are nested more than {MAX_DEPTH} deep")));
            }
            let here = at;
            let header = match innermost {
                Open::Sequence(encoding) => self.header(at, Encoding { explicit: false, ..encoding })?,
                Open::Item(encoding) => self.header(at, encoding)?,
            };
            at = match (innermost, header.tag) {
                (Open::Sequence(_), SEQUENCE_END) | (Open::Item(_), ITEM_END) => {
                    open.pop();
                    if open.is_empty() {
                        return Ok((start..here, header.body));
                    }
                    header.body
                }
                (Open::Sequence(encoding), ITEM) if header.length == UNDEFINED => {
                    open.push(Open::Item(encoding));
                    header.body
                }
                (Open::Sequence(_), tag) if tag != ITEM => return Err(not_an_item(here)),
                (Open::Item(encoding), tag) if header.length == UNDEFINED && tag.group() != 0xFFFE => {
                    open.push(Open::Sequence(inner(encoding, header.vr)));
                    header.body
                }
                (Open::Item(_), tag) if tag.group() == 0xFFFE => return Err(not_an_element(here)),
                (_, tag) => self.end(header.body, header.length, tag)?,
            };
        }
        Err(self.ends_at(start))
    }
}

/// A sequence or item whose delimiter has not come yet, and how its content is laid out.
#[derive(Clone, Copy)]
enum Open {
    Sequence(Encoding),
    Item(Encoding),
}

/// An unknown VR of undefined length holds an implicit little endian sequence (PS3.5 6.2.2, note 2).
pub(super) fn inner(outer: Encoding, vr: [u8; 2]) -> Encoding {
    if outer.explicit && &vr == b"UN" { Encoding::IMPLICIT_LITTLE } else { outer }
}

fn not_an_element(at: usize) -> Refusal {
    Refusal::damaged(format!("it has a delimiter where an element should be, at byte {at}"))
}

fn not_an_item(at: usize) -> Refusal {
    Refusal::damaged(format!("its sequence has no item at byte {at}"))
}

/// PS3.5 7.1.2: these have a 4-byte length, and so will any VR that is yet to come; nonsense has the short one.
fn has_long_length(vr: [u8; 2]) -> bool {
    const SHORT: [&[u8; 2]; 21] = [
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
        b"ST", b"TM", b"UI", b"UL", b"US",
    ];
    vr.iter().all(u8::is_ascii_uppercase) && !SHORT.contains(&&vr)
}

/// Whether two letters are a value representation (PS3.5 6.2).
pub(super) fn is_vr(two: [u8; 2]) -> bool {
    const LONG: [&[u8; 2]; 13] =
        [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
    LONG.contains(&&two) || (two.iter().all(u8::is_ascii_uppercase) && !has_long_length(two))
}
