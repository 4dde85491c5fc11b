//! JPEG pictures whose markers lie (ITU-T T.81).

use super::{Files, find, inserted, named, noise, overwritten, removed};
use crate::film::{self, Film};
use crate::radiograph::samples::{encode, ramp};
use image::{DynamicImage, ImageFormat, RgbaImage};
use std::ops::Range;

const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const SOF: u8 = 0xC0;
const SOS: u8 = 0xDA;

pub fn files() -> Files {
    [frames(), components(), tables(), scans(), progressive_scans(), structure(), pictures()].concat()
}

fn sound() -> Vec<u8> {
    encode(ramp(), ImageFormat::Jpeg)
}

fn in_colour() -> Vec<u8> {
    encode(DynamicImage::from(ramp()).to_rgb8(), ImageFormat::Jpeg)
}

/// The first segment with this marker, the marker included.
fn segment(jpeg: &[u8], marker: u8) -> Range<usize> {
    let at = find(jpeg, &[0xFF, marker]);
    at..at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]))
}

/// The sound picture with other bytes at an offset in its segment.
fn changed(marker: u8, offset: usize, bytes: &[u8]) -> Vec<u8> {
    overwritten(&sound(), segment(&sound(), marker).start + offset, bytes)
}

/// A frame header of 64 x 64 pixels.
fn frame(marker: u8, components: u8) -> Vec<u8> {
    let parts = (1..=components).flat_map(|id| [id, 0x11, 0]);
    let head = [0xFF, marker, 0, 8 + 3 * components, 8, 0, 64, 0, 64, components];
    head.into_iter().chain(parts).collect()
}

fn with_frame(header: &[u8]) -> Vec<u8> {
    let at = segment(&sound(), SOF);
    inserted(&removed(&sound(), at.clone()), at.start, header)
}

/// The frame header: size, depth, process.
fn frames() -> Files {
    let big = changed(SOF, 5, &[0xEA, 0x60, 0xEA, 0x60]);
    named([
        ("too-large--dicom-jpeg-of-60000", Film::coded(64, 64, 8, big.clone()).file(film::JPEG)),
        ("too-large--jpeg-of-60000", big),
        ("unsupported--jpeg-whose-height-comes-later", changed(SOF, 5, &[0, 0])),
        ("unsupported--jpeg-of-13-bits", changed(SOF, 4, &[13])),
        ("unsupported--hierarchical-jpeg", with_frame(&frame(0xC5, 1))),
        ("damaged--jpeg-called-arithmetic", with_frame(&frame(0xC9, 1))),
        ("damaged--jpeg-called-progressive", with_frame(&frame(0xC2, 1))),
        ("damaged--jpeg-called-lossless", with_frame(&frame(0xC3, 1))),
        ("damaged--jpeg-of-two-frames", inserted(&sound(), segment(&sound(), SOF).start, &frame(SOF, 1))),
        ("damaged--jpeg-without-a-frame", removed(&sound(), segment(&sound(), SOF))),
    ])
}

fn components() -> Files {
    let sof = segment(&in_colour(), SOF).start;
    let blocks = [11, 14, 17].iter().fold(in_colour(), |jpeg, offset| overwritten(&jpeg, sof + offset, &[0x44]));
    let unmarked = removed(&in_colour(), segment(&in_colour(), 0xE0));
    named([
        ("unsupported--jpeg-in-cmyk", with_frame(&frame(SOF, 4))),
        ("damaged--jpeg-of-two-components", with_frame(&frame(SOF, 2))),
        ("damaged--jpeg-of-12-components", with_frame(&frame(SOF, 12))),
        ("damaged--jpeg-with-no-sampling", changed(SOF, 11, &[0])),
        ("damaged--jpeg-of-48-blocks-a-unit", blocks),
        (
            "damaged--jpeg-of-a-colour-unknown-to-adobe",
            inserted(&unmarked, 2, b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x09"),
        ),
    ])
}

fn tables() -> Files {
    let dht = segment(&sound(), DHT);
    let counts = &sound()[dht.start + 5..dht.start + 21];
    let overfull = [&[counts.iter().sum()][..], &[0; 15]].concat();
    named([
        ("damaged--jpeg-huffman-table-of-4080-codes", changed(DHT, 5, &[255; 16])),
        ("damaged--jpeg-huffman-table-of-codes-of-one-bit", changed(DHT, 5, &overfull)),
        ("damaged--jpeg-huffman-table-of-no-class", changed(DHT, 4, &[0xFF])),
        ("damaged--jpeg-without-quantisation", removed(&sound(), segment(&sound(), DQT))),
        ("damaged--jpeg-quantisation-of-no-length", changed(DQT, 2, &[0, 0])),
        ("blank--jpeg-quantised-by-zero", changed(DQT, 5, &[0; 64])),
    ])
}

fn scans() -> Files {
    let at = segment(&sound(), SOS);
    let length = sound().len();
    named([
        ("damaged--jpeg-scan-of-a-stranger", changed(SOS, 5, &[9])),
        ("damaged--jpeg-scan-with-a-table-of-nobody", changed(SOS, 6, &[0x33])),
        ("damaged--jpeg-scan-of-no-component", changed(SOS, 4, &[0])),
        ("damaged--jpeg-that-should-restart", inserted(&sound(), at.start, b"\xFF\xDD\0\x04\0\x01")),
        (
            "damaged--jpeg-of-noise",
            overwritten(
                &sound(),
                at.end,
                &noise(length - at.end - 2).iter().map(|byte| byte & 0x7F).collect::<Vec<_>>(),
            ),
        ),
        ("damaged--jpeg-of-no-data", [&sound()[..at.end], &[0xFF, 0xD9]].concat()),
    ])
}

/// A progressive picture of zeros in so many scans: one of the mean, then each coefficient bit by bit.
pub fn progressive(width: u16, height: u16, scans: usize) -> Vec<u8> {
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    let [w, h] = [width, height].map(u16::to_be_bytes);
    let mut jpeg = b"\xFF\xD8\xFF\xDB\0\x43\0".to_vec();
    jpeg.extend([1; 64]);
    jpeg.extend([0xFF, 0xC2, 0, 11, 8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0]);
    // one code a table: no difference of the mean; an end of block that runs for 16,384 blocks
    for (table, symbol) in [(0x00, 0), (0x10, 0xE0)] {
        jpeg.extend([0xFF, DHT, 0, 20, table, 1]);
        jpeg.extend([0; 15]);
        jpeg.push(symbol);
    }
    let mut scan = |first: u8, bits: u8, bytes: usize| {
        jpeg.extend([0xFF, SOS, 0, 8, 1, 1, 0, first, first, bits]);
        jpeg.resize(jpeg.len() + bytes, 0);
    };
    scan(0, 0, blocks.div_ceil(8));
    let refined = (1..64).flat_map(|coefficient| [0x0D, 0xDC, 0xCB, 0xBA, 0xA9, 0x98].map(|bits| (coefficient, bits)));
    for (coefficient, bits) in refined.take(scans - 1) {
        scan(coefficient, bits, (blocks.div_ceil(1 << 14) * 15).div_ceil(8));
    }
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

fn progressive_scans() -> Files {
    named([
        ("blank--progressive-jpeg-of-zeros", progressive(64, 64, 90)),
        ("unsupported--progressive-jpeg-of-300-scans", progressive(64, 64, 300)),
    ])
}

/// Markers that are too many or at the wrong place.
fn structure() -> Files {
    let thumbnail = [b"Exif\0\0", &sound()[..]].concat();
    let length = (thumbnail.len() as u16 + 2).to_be_bytes();
    named([
        ("damaged--jpeg-that-starts-twice", inserted(&sound(), 2, &[0xFF, 0xD8])),
        ("damaged--jpeg-of-a-start-and-an-end", b"\xFF\xD8\xFF\xD9".to_vec()),
        ("damaged--jpeg-of-a-thumbnail-alone", [b"\xFF\xD8\xFF\xE1", &length[..], &thumbnail, b"\xFF\xD9"].concat()),
        ("damaged--jpeg-with-garbage-between-markers", inserted(&sound(), segment(&sound(), DQT).start, b"garbage")),
    ])
}

fn pictures() -> Files {
    let blank = RgbaImage::from_pixel(64, 64, image::Rgba([255; 4]));
    named([("blank--white-jpeg", encode(DynamicImage::from(blank).to_rgb8(), ImageFormat::Jpeg))])
}
