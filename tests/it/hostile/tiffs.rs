//! TIFF pictures whose directories lie.

use super::{Files, jpegs, named, noise, overwritten};
use crate::radiograph::samples::ramp;
use std::collections::BTreeMap;

const WIDTH: u16 = 256;
const LENGTH: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const OFFSETS: u16 = 273;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const COUNTS: u16 = 279;

pub fn files() -> Files {
    [directories(), strips(), kinds(), compressions()].concat()
}

/// Kind, count and value of each tag.
type Directory = BTreeMap<u16, (u16, u32, u32)>;

/// The directory of a grey picture of one strip, whose data come behind it, with some numbers changed.
fn directory(changes: &[(u16, u32)], data: &[u8]) -> Directory {
    let sound = [
        (WIDTH, 64),
        (LENGTH, 64),
        (BITS, 8),
        (COMPRESSION, 1),
        (PHOTOMETRIC, 1),
        (OFFSETS, 0),
        (SAMPLES, 1),
        (ROWS_PER_STRIP, 64),
        (COUNTS, data.len() as u32),
    ];
    let all: BTreeMap<u16, u32> = sound.iter().chain(changes).copied().collect();
    let mut directory: Directory = all.into_iter().map(|(tag, value)| (tag, (4, 1, value))).collect();
    if !changes.iter().any(|(tag, _)| *tag == OFFSETS) {
        let end = 14 + 12 * directory.len() as u32;
        directory.insert(OFFSETS, (4, 1, end));
    }
    directory
}

fn written(directory: &Directory, data: &[u8]) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((directory.len() as u16).to_le_bytes());
    for (tag, (kind, count, value)) in directory {
        tiff.extend([*tag, *kind].map(u16::to_le_bytes).concat());
        tiff.extend([*count, *value].map(u32::to_le_bytes).concat());
    }
    tiff.extend([0; 4]);
    tiff.extend(data);
    tiff
}

pub fn tiff(changes: &[(u16, u32)], data: &[u8]) -> Vec<u8> {
    written(&directory(changes, data), data)
}

/// With one entry of another kind or count, or none.
fn with_entry(tag: u16, entry: Option<(u16, u32, u32)>) -> Vec<u8> {
    let mut directory = directory(&[], &ramp());
    match entry {
        Some(entry) => directory.insert(tag, entry),
        None => directory.remove(&tag),
    };
    if tag != OFFSETS {
        directory.insert(OFFSETS, (4, 1, 14 + 12 * directory.len() as u32));
    }
    written(&directory, &ramp())
}

fn directories() -> Files {
    let sound = tiff(&[], &ramp());
    named([
        ("truncated--tiff-without-a-directory", b"II*\0\0\0\0\0\0\0\0\0".to_vec()),
        ("truncated--tiff-of-65535-entries", overwritten(&sound, 8, &[0xFF, 0xFF])),
        ("truncated--tiff-whose-directory-is-elsewhere", overwritten(&sound, 4, &[0, 0, 0, 0x40])),
        ("damaged--tiff-whose-directory-is-its-header", overwritten(&sound, 4, &[4, 0, 0, 0])),
        ("damaged--tiff-without-a-width", with_entry(WIDTH, None)),
        ("damaged--tiff-of-a-width-in-words", with_entry(WIDTH, Some((2, 4, 0x0034_3600)))),
        ("damaged--tiff-of-no-width", tiff(&[(WIDTH, 0)], &ramp())),
        ("not-an-image--bigtiff", [b"II+\0\x08\0\0\0\x10", &[0; 64][..]].concat()),
    ])
}

fn strips() -> Files {
    let mut tiles = directory(&[(322, 0), (323, 16), (324, 8), (325, 16)], &ramp());
    tiles.remove(&OFFSETS);
    tiles.remove(&COUNTS);
    let big = [(WIDTH, 60_000), (LENGTH, 60_000), (ROWS_PER_STRIP, 60_000), (COUNTS, u32::MAX)];
    named([
        ("too-large--tiff-of-60000", tiff(&big, &[])),
        ("too-large--tiff-of-4-billion-strips", with_entry(OFFSETS, Some((4, u32::MAX, 8)))),
        ("truncated--tiff-strip-beyond-its-end", tiff(&[(OFFSETS, 1 << 30)], &ramp())),
        ("truncated--tiff-strip-of-half-the-rows", tiff(&[], &ramp().as_raw()[..2048])),
        ("damaged--tiff-without-strips", with_entry(OFFSETS, None)),
        ("damaged--tiff-of-fewer-strips-than-it-says", tiff(&[(ROWS_PER_STRIP, 1)], &ramp())),
        ("damaged--tiff-of-strips-without-rows", tiff(&[(ROWS_PER_STRIP, 0)], &ramp())),
        ("damaged--tiff-of-tiles-of-no-size", written(&tiles, &ramp())),
    ])
}

fn kinds() -> Files {
    let with = |changes: &[(u16, u32)]| tiff(changes, &ramp());
    named([
        ("unsupported--tiff-of-no-bit", with(&[(BITS, 0)])),
        ("unsupported--tiff-of-64-bits", with(&[(BITS, 64)])),
        ("unsupported--tiff-of-floats", with(&[(BITS, 32), (339, 3)])),
        ("damaged--tiff-of-no-sample", with(&[(SAMPLES, 0)])),
        ("unsupported--tiff-of-65535-samples", with(&[(SAMPLES, 65_535)])),
        ("unsupported--tiff-of-a-palette", with(&[(PHOTOMETRIC, 3)])),
        ("unsupported--tiff-in-cie-lab", with(&[(PHOTOMETRIC, 8), (SAMPLES, 3)])),
        ("unsupported--tiff-in-no-colour", with(&[(PHOTOMETRIC, 99)])),
        ("damaged--tiff-in-planes-of-no-kind", with(&[(284, 3)])),
        ("damaged--tiff-predicted-by-nobody", with(&[(317, 99)])),
    ])
}

fn compressions() -> Files {
    let coded = |compression, data: &[u8]| tiff(&[(COMPRESSION, compression)], data);
    named([
        ("unsupported--tiff-of-no-compression-that-is-known", coded(65_000, &ramp())),
        ("unsupported--tiff-by-fax", coded(3, &ramp())),
        ("unsupported--tiff-of-the-old-jpeg", coded(6, &ramp())),
        ("damaged--tiff-of-lzw-noise", coded(5, &noise(1000))),
        ("damaged--tiff-of-deflated-noise", coded(8, &noise(1000))),
        ("unsupported--tiff-of-a-jpeg-of-another-size", coded(7, &jpegs::progressive(16_384, 16_384, 60))),
        ("damaged--tiff-of-fax-noise", tiff(&[(COMPRESSION, 4), (BITS, 1)], &noise(1000))),
        ("truncated--tiff-of-packed-bits-that-end", coded(32_773, &[127, 1, 2, 3])),
    ])
}
