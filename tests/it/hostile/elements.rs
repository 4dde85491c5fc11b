//! Data sets that contradict themselves, their transfer syntax, or the rules of sequences.

use super::{Files, film8, named};
use crate::film::{self, Film, Value};
use crate::radiograph::samples;
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

pub fn files() -> Files {
    [contradictions(), values(), layouts(), syntaxes(), delimiters(), deflated()].concat()
}

/// A file of explicit elements.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    [film::meta(film::EXPLICIT), parts.concat()].concat()
}

fn explicit(film: Film) -> Vec<u8> {
    film.data_set(true, false)
}

/// Preamble and magic word alone, so that the meta information can be made up.
fn start() -> Vec<u8> {
    [vec![0; 128], b"DICM".to_vec()].concat()
}

fn syntax(uid: &str) -> Vec<u8> {
    explicit(Film::default().text(0x0002_0010, "UI", uid))
}

/// Two things said of one.
fn contradictions() -> Files {
    let sound = explicit(film8());
    let rows = explicit(Film::default().word(film::ROWS, 32));
    let patient = explicit(Film::default().text(0x0010_0020, "LO", "4712"));
    let pixels = explicit(Film::default().set(film::PIXELS, "OB", Value::Bytes(vec![7; 4096])));
    let syntaxes = [start(), syntax(film::EXPLICIT), syntax(film::RLE), sound.clone()].concat();
    named([
        ("damaged--rows-twice", joined(&[&rows, &sound])),
        ("damaged--two-patients", joined(&[&patient, &sound])),
        ("damaged--two-pictures", joined(&[&sound, &pixels])),
        ("damaged--two-transfer-syntaxes", syntaxes),
        ("damaged--rows-behind-the-pixels", joined(&[&explicit(film8().without(film::ROWS)), &rows])),
    ])
}

/// Values of another kind than their tags'.
fn values() -> Files {
    let odd = joined(&[b"\x28\0\x10\0US\x01\0\x40", &explicit(film8().without(film::ROWS))]);
    let unknown = joined(&[b"\x09\0\x01\0ZZ\x08\0AAAAAAAA", &explicit(film8())]);
    let hole = [&explicit(film8().without(film::PIXELS))[..], &[0; 4096], &explicit(film8())].concat();
    named([
        ("damaged--rows-of-one-byte", odd),
        ("damaged--rows-of-two-values", film8().set(film::ROWS, "US", Value::Words(vec![64, 32])).file(film::EXPLICIT)),
        ("damaged--rows-as-text", film8().text(film::ROWS, "IS", "64").file(film::EXPLICIT)),
        ("damaged--unknown-vr-with-a-short-length", unknown),
        ("truncated--hole-of-zeros", joined(&[&hole])),
    ])
}

/// Data sets that are laid out otherwise than their transfer syntax says.
fn layouts() -> Files {
    let called = |syntax, explicit, big| [film::meta(syntax), film8().data_set(explicit, big)].concat();
    named([
        ("damaged--implicit-called-explicit", called(film::EXPLICIT, false, false)),
        ("damaged--explicit-called-implicit", called(film::IMPLICIT, true, false)),
        ("damaged--little-called-big-endian", called(film::BIG_ENDIAN, true, false)),
        ("damaged--big-called-little-endian", called(film::EXPLICIT, true, true)),
    ])
}

/// Transfer syntaxes that are none.
fn syntaxes() -> Files {
    let coded = explicit(Film::coded(64, 64, 8, samples::jpeg_ls()));
    let long = "1.2.".repeat(2500);
    named([
        ("unsupported--empty-transfer-syntax", [start(), syntax(""), explicit(film8())].concat()),
        ("unsupported--transfer-syntax-of-10-kB", [start(), syntax(&long), explicit(film8())].concat()),
        ("unsupported--coded-without-a-transfer-syntax", [start(), coded].concat()),
        ("truncated--meta-information-alone", film::meta(film::EXPLICIT)),
    ])
}

const ITEM: &[u8] = b"\xFE\xFF\0\xE0\0\0\0\0";
const OPEN_ITEM: &[u8] = b"\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF";
const ITEM_END: &[u8] = b"\xFE\xFF\x0D\xE0\0\0\0\0";
const SEQUENCE_END: &[u8] = b"\xFE\xFF\xDD\xE0\0\0\0\0";

/// Delimiters without what they delimit, and sequences without what they hold.
fn delimiters() -> Files {
    let before = |delimiter: &[u8]| joined(&[delimiter, &explicit(film8())]);
    let open =
        |vr, content: &[u8]| film8().set(0x0010_1010, vr, Value::Lie(u32::MAX, content.to_vec())).file(film::EXPLICIT);
    let lut = |content: &[u8]| film8().set(film::VOI_LUT, "SQ", Value::Bytes(content.to_vec())).file(film::EXPLICIT);
    named([
        ("damaged--item-without-a-sequence", before(ITEM)),
        ("damaged--item-delimiter-without-an-item", before(ITEM_END)),
        ("damaged--sequence-delimiter-without-a-sequence", before(SEQUENCE_END)),
        ("damaged--sequence-closed-as-an-item", open("SQ", ITEM_END)),
        ("damaged--item-closed-as-a-sequence", open("SQ", &[OPEN_ITEM, SEQUENCE_END].concat())),
        ("damaged--item-in-an-item", open("SQ", &[OPEN_ITEM, ITEM].concat())),
        ("damaged--text-of-undefined-length", open("UT", b"no item here")),
        ("damaged--unknown-of-undefined-length", open("UN", b"no item here")),
        ("damaged--sequence-of-text", lut(b"no item here")),
        ("damaged--item-beyond-its-sequence", lut(b"\xFE\xFF\0\xE0\x40\0\0\0")),
        ("damaged--item-header-beyond-its-sequence", lut(b"\xFE\xFF\0\xE0")),
    ])
}

/// Deflated data sets that are none.
fn deflated() -> Files {
    let data_set = explicit(film8());
    let called = |bytes: &[u8]| [film::meta(film::DEFLATED), bytes.to_vec()].concat();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&data_set).unwrap();
    named([
        ("damaged--deflated-garbage", called(&[0xFF; 64])),
        ("damaged--zlib-instead-of-deflate", called(&zlib.finish().unwrap())),
        ("damaged--not-deflated-at-all", called(&data_set)),
        ("truncated--nothing-deflated", called(&[3, 0])),
        ("damaged--deflated-and-coded", Film::coded(64, 64, 8, samples::jpeg_ls()).file(film::DEFLATED)),
    ])
}
