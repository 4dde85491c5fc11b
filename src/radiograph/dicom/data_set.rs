//! The values of the few elements that a film needs.

use super::elements::{Element, Elements, Encoding, inner};
use crate::radiograph::Refusal;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};
use std::borrow::Cow;
use std::ops::Range;

/// Of a longer text, so many bytes count: none that a film needs is as long (PS3.5, table 6.2-1), and decoded it takes up to eight times as
/// much memory.
const LONGEST_TEXT: usize = 64 << 10;

/// A data set whose every length has been checked, up to and including its pixel data.
pub(super) struct DataSet<'a> {
    bytes: Cow<'a, [u8]>,
    elements: Vec<Element>,
    encoding: Encoding,
    max_bytes: u64,
}

impl<'a> DataSet<'a> {
    /// Walks the data set that starts at `at`.
    ///
    /// What follows Pixel Data (signatures, padding) is not needed and cannot spoil a film, so the walk ends there.
    pub fn read(bytes: Cow<'a, [u8]>, at: usize, encoding: Encoding, max_bytes: u64) -> Result<Self, Refusal> {
        let mut walk = Elements::new(&bytes, at, encoding, max_bytes);
        let mut elements = Vec::new();
        while let Some(element) = walk.next()? {
            let last = element.tag == tags::PIXEL_DATA;
            elements.push(element);
            if last {
                break;
            }
        }
        if walk.next_tag() == Some(tags::PIXEL_DATA) {
            return Err(twice(tags::PIXEL_DATA));
        }
        let data_set = Self { bytes, elements, encoding, max_bytes };
        data_set.check_once()?;
        Ok(data_set)
    }

    /// Refuses a data set that says two things under one tag (PS3.5 7.1: an element occurs once), for nothing tells which
    /// of them counts. What vendors do in groups of their own cannot spoil a film.
    fn check_once(&self) -> Result<(), Refusal> {
        let mut elements: Vec<&Element> = self.elements.iter().filter(|element| element.tag.group() % 2 == 0).collect();
        elements.sort_by_key(|element| element.tag);
        let mut neighbours = elements.windows(2);
        let differ =
            |two: &&[&Element]| two[0].tag == two[1].tag && self.slice(&two[0].value) != self.slice(&two[1].value);
        neighbours.find(differ).map_or(Ok(()), |two| Err(twice(two[0].tag)))
    }

    /// How the values are laid out.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element with a tag.
    pub fn element(&self, tag: Tag) -> Option<&Element> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// The bytes of a value.
    pub fn value(&self, tag: Tag) -> Option<&[u8]> {
        self.element(tag).map(|element| self.slice(&element.value))
    }

    /// The bytes of a range that an element or a fragment gave.
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// The fragments of encapsulated pixel data, the offset table (PS3.5 A.4) included.
    pub fn fragments(&self, element: &Element) -> Result<Vec<&[u8]>, Refusal> {
        let fragments = self.walk().items(element.value.clone())?;
        Ok(fragments.iter().map(|range| self.slice(range)).collect())
    }

    /// The first item of a sequence.
    pub fn first_item(&self, sequence: Tag) -> Result<Option<DataSet<'_>>, Refusal> {
        let Some(element) = self.element(sequence) else { return Ok(None) };
        let encoding = inner(self.encoding, element.vr);
        let mut walk = Elements::new(&self.bytes, 0, encoding, self.max_bytes);
        let Some(item) = walk.items(element.value.clone())?.into_iter().next() else { return Ok(None) };
        DataSet::read(Cow::Borrowed(self.slice(&item)), 0, encoding, self.max_bytes).map(Some)
    }

    fn walk(&self) -> Elements<'_> {
        Elements::new(&self.bytes, 0, self.encoding, self.max_bytes)
    }

    /// A text value without its padding; `None` where it is absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let raw = self.start_of(tag)?;
        let decoded = self.character_set().decode(raw).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned());
        let trimmed = decoded.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn start_of(&self, tag: Tag) -> Option<&[u8]> {
        self.value(tag).map(|raw| raw.get(..LONGEST_TEXT).unwrap_or(raw))
    }

    /// The first known one of Specific Character Set; an unknown one is read as Latin 1, which never fails.
    fn character_set(&self) -> SpecificCharacterSet {
        let codes = self.start_of(tags::SPECIFIC_CHARACTER_SET).map(String::from_utf8_lossy);
        codes
            .iter()
            .flat_map(|codes| codes.split('\\'))
            .find_map(|code| SpecificCharacterSet::from_code(code.trim_matches([' ', '\0'])))
            .unwrap_or(SpecificCharacterSet::ISO_IR_100)
    }

    /// The first number of a DS or IS value; `None` where it is absent or empty.
    pub fn number(&self, tag: Tag) -> Result<Option<f64>, Refusal> {
        let text = self.text(tag).unwrap_or_default();
        match text.split('\\').next().map(str::trim) {
            None | Some("") => Ok(None),
            Some(first) => match first.parse() {
                Ok(number) if f64::is_finite(number) => Ok(Some(number)),
                _ => Err(Refusal::damaged(format!("its element {tag} is no number"))),
            },
        }
    }

    /// The finite numbers of a DS or IS value; what is no number is left out.
    pub fn numbers(&self, tag: Tag) -> Vec<f64> {
        let text = self.text(tag).unwrap_or_default();
        text.split('\\').filter_map(|number| number.trim().parse().ok()).filter(|n: &f64| n.is_finite()).collect()
    }

    /// The 16-bit words of a US, SS or OW value.
    pub fn words(&self, tag: Tag) -> impl Iterator<Item = u16> {
        let encoding = self.encoding;
        self.value(tag).unwrap_or_default().chunks_exact(2).map(move |two| encoding.word([two[0], two[1]]))
    }

    /// The first word of a US or SS value.
    pub fn word(&self, tag: Tag) -> Option<u16> {
        self.words(tag).next()
    }
}

/// The refusal of a file that says two things under one tag.
pub(super) fn twice(tag: Tag) -> Refusal {
    Refusal::damaged(format!("its element {tag} is there twice"))
}
