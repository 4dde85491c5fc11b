//! Small DICOM files, written byte by byte so that a test can lie in any place.
#![allow(clippy::unwrap_used)]

use flate2::{Compression, write::DeflateEncoder};
use std::collections::BTreeMap;
use std::io::Write;

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub const JPEG: &str = "1.2.840.10008.1.2.4.50";
pub const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
pub const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
pub const RLE: &str = "1.2.840.10008.1.2.5";

pub const MODALITY: u32 = 0x0008_0060;
pub const BODY_PART: u32 = 0x0018_0015;
pub const VIEW: u32 = 0x0018_5101;
pub const LATERALITY: u32 = 0x0020_0060;
pub const IMAGE_LATERALITY: u32 = 0x0020_0062;
pub const SAMPLES: u32 = 0x0028_0002;
pub const PHOTOMETRIC: u32 = 0x0028_0004;
pub const PLANAR: u32 = 0x0028_0006;
pub const FRAMES: u32 = 0x0028_0008;
pub const ROWS: u32 = 0x0028_0010;
pub const COLUMNS: u32 = 0x0028_0011;
pub const ALLOCATED: u32 = 0x0028_0100;
pub const STORED: u32 = 0x0028_0101;
pub const HIGH_BIT: u32 = 0x0028_0102;
pub const SIGNED: u32 = 0x0028_0103;
pub const PADDING: u32 = 0x0028_0120;
pub const CENTER: u32 = 0x0028_1050;
pub const WIDTH: u32 = 0x0028_1051;
pub const INTERCEPT: u32 = 0x0028_1052;
pub const SLOPE: u32 = 0x0028_1053;
pub const FUNCTION: u32 = 0x0028_1056;
pub const MODALITY_LUT: u32 = 0x0028_3000;
pub const VOI_LUT: u32 = 0x0028_3010;
pub const SHAPE: u32 = 0x2050_0020;
pub const PIXELS: u32 = 0x7FE0_0010;

/// A value as its element holds it.
#[derive(Clone)]
pub enum Value {
    Text(String),
    Words(Vec<u16>),
    Bytes(Vec<u8>),
    /// The items of a sequence.
    Items(Vec<Film>),
    /// The fragments of a frame, after an empty offset table.
    Fragments(Vec<Vec<u8>>),
    /// Bytes as they are, with the length that the header shall declare.
    Lie(u32, Vec<u8>),
}

/// A data set; tags in order, each with its VR.
#[derive(Clone, Default)]
pub struct Film(BTreeMap<u32, (&'static str, Value)>);

impl Film {
    /// A CR film of 16-bit words.
    pub fn grey(columns: u16, rows: u16, pixels: &[u16]) -> Self {
        Self::shape(columns, rows, 16).set(PIXELS, "OW", Value::Words(pixels.to_vec()))
    }

    /// A CR film of bytes.
    pub fn grey8(columns: u16, rows: u16, pixels: &[u8]) -> Self {
        Self::shape(columns, rows, 8).set(PIXELS, "OB", Value::Bytes(pixels.to_vec()))
    }

    /// A CR film whose one frame is coded.
    pub fn coded(columns: u16, rows: u16, bits: u16, frame: Vec<u8>) -> Self {
        Self::shape(columns, rows, bits).set(PIXELS, "OB", Value::Fragments(vec![frame]))
    }

    fn shape(columns: u16, rows: u16, bits: u16) -> Self {
        Self::default()
            .text(0x0008_0018, "UI", "1.2.3.4.5")
            .text(MODALITY, "CS", "CR")
            .text(0x0010_0010, "PN", "Doe^Jane")
            .text(0x0010_0020, "LO", "4711")
            .text(BODY_PART, "CS", "KNEE")
            .word(SAMPLES, 1)
            .text(PHOTOMETRIC, "CS", "MONOCHROME2")
            .word(ROWS, rows)
            .word(COLUMNS, columns)
            .word(ALLOCATED, bits)
            .word(STORED, bits)
            .word(HIGH_BIT, bits - 1)
            .word(SIGNED, 0)
    }

    pub fn set(mut self, tag: u32, vr: &'static str, value: Value) -> Self {
        self.0.insert(tag, (vr, value));
        self
    }

    pub fn without(mut self, tag: u32) -> Self {
        self.0.remove(&tag);
        self
    }

    pub fn text(self, tag: u32, vr: &'static str, text: &str) -> Self {
        self.set(tag, vr, Value::Text(text.to_owned()))
    }

    pub fn word(self, tag: u32, word: u16) -> Self {
        self.set(tag, "US", Value::Words(vec![word]))
    }

    /// A Part 10 file.
    pub fn file(&self, syntax: &str) -> Vec<u8> {
        let body = match syntax {
            IMPLICIT => self.data_set(false, false),
            BIG_ENDIAN => self.data_set(true, true),
            _ => self.data_set(true, false),
        };
        let mut file = meta(syntax);
        if syntax == DEFLATED {
            let mut encoder = DeflateEncoder::new(&mut file, Compression::default());
            encoder.write_all(&body).unwrap();
            encoder.finish().unwrap();
        } else {
            file.extend(body);
        }
        file
    }

    /// The elements alone.
    pub fn data_set(&self, explicit: bool, big: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for (tag, (vr, value)) in &self.0 {
            let (declared, body) = match value {
                Value::Text(text) => (None, text.clone().into_bytes()),
                Value::Words(words) => (None, words.iter().flat_map(|word| two(*word, big)).collect()),
                Value::Bytes(bytes) => (None, bytes.clone()),
                Value::Items(items) => (
                    None,
                    items
                        .iter()
                        .flat_map(|item| {
                            let item = item.data_set(explicit, big);
                            [tag_bytes(0xFFFE_E000, big), four(item.len() as u32, big), item].concat()
                        })
                        .collect(),
                ),
                Value::Fragments(fragments) => (Some(u32::MAX), encapsulate(fragments)),
                Value::Lie(length, bytes) => (Some(*length), bytes.clone()),
            };
            let mut body: Vec<u8> = body;
            if body.len() % 2 == 1 {
                body.push(if matches!(value, Value::Text(_)) && *vr != "UI" { b' ' } else { 0 });
            }
            let length = declared.unwrap_or(body.len() as u32);
            out.extend(tag_bytes(*tag, big));
            if explicit {
                out.extend(vr.as_bytes());
                if ["OB", "OW", "OF", "SQ", "UN", "UT", "UC"].contains(vr) {
                    out.extend([0, 0]);
                    out.extend(four(length, big));
                } else {
                    out.extend(two(length as u16, big));
                }
            } else {
                out.extend(four(length, big));
            }
            out.extend(body);
        }
        out
    }
}

/// Preamble, magic word, the class of CR films and the transfer syntax.
pub fn meta(syntax: &str) -> Vec<u8> {
    meta_of("1.2.840.10008.5.1.4.1.1.1", syntax)
}

/// Of an object of this class.
pub fn meta_of(class: &str, syntax: &str) -> Vec<u8> {
    let [uid, class] = [syntax, class].map(|uid| {
        let mut uid = uid.as_bytes().to_vec();
        uid.resize(uid.len().next_multiple_of(2), 0);
        uid
    });
    let mut out = [vec![0; 128], b"DICM".to_vec()].concat();
    out.extend(b"\x02\0\0\0UL\x04\0");
    out.extend((16 + class.len() as u32 + uid.len() as u32).to_le_bytes());
    out.extend(b"\x02\0\x02\0UI");
    out.extend((class.len() as u16).to_le_bytes());
    out.extend(class);
    out.extend(b"\x02\0\x10\0UI");
    out.extend((uid.len() as u16).to_le_bytes());
    out.extend(uid);
    out
}

/// Items, an empty offset table first, and the delimiter.
pub fn encapsulate(fragments: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"\xFE\xFF\x00\xE0\0\0\0\0".to_vec();
    for fragment in fragments {
        let padded = fragment.len().next_multiple_of(2);
        out.extend(b"\xFE\xFF\x00\xE0");
        out.extend((padded as u32).to_le_bytes());
        out.extend(fragment);
        out.resize(out.len() + padded - fragment.len(), 0);
    }
    out.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    out
}

fn two(word: u16, big: bool) -> [u8; 2] {
    if big { word.to_be_bytes() } else { word.to_le_bytes() }
}

fn four(long: u32, big: bool) -> Vec<u8> {
    if big { long.to_be_bytes().to_vec() } else { long.to_le_bytes().to_vec() }
}

fn tag_bytes(tag: u32, big: bool) -> Vec<u8> {
    [two((tag >> 16) as u16, big), two(tag as u16, big)].concat()
}
