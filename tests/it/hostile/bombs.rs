//! Little that becomes much.

use super::{Files, jpegs, named, pngs, tiffs};
use crate::film::{self, Film};
use flate2::{Compression, write::DeflateEncoder, write::ZlibEncoder};
use std::io::Write;

pub fn files() -> Files {
    named([
        ("too-large--deflate-bomb", deflated()),
        ("too-large--png-bomb", png(60_000, 60_000, 0, 8, 1 << 20)),
        ("too-large--png-of-500-MiB", png(8192, 8192, 6, 16, 1 << 20)),
        ("blank--png-of-60-MiB-of-zeros", png(15_360, 4096, 0, 8, 15_361 * 4096)),
        ("blank--png-with-a-profile-of-1-GiB", profile()),
        ("blank--progressive-jpeg-of-63-Mpx-in-90-scans", jpegs::progressive(15_360, 4096, 90)),
        ("blank--tiff-of-60-MiB-of-zeros", tiff()),
        ("damaged--rle-bomb", Film::coded(64, 64, 8, rle()).file(film::RLE)),
    ])
}

fn zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..bytes >> 12 {
        encoder.write_all(&[0; 1 << 12]).unwrap();
    }
    encoder.finish().unwrap()
}

fn deflated() -> Vec<u8> {
    let mut deflated = film::meta(film::DEFLATED);
    let mut encoder = DeflateEncoder::new(&mut deflated, Compression::fast());
    encoder.write_all(b"\x09\0\x10\0OB\0\0\0\0\0\x20").unwrap();
    for _ in 0..512 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap();
    deflated
}

/// A PNG whose data inflate to zeros.
fn png(width: u32, height: u32, colour: u8, depth: u8, bytes: usize) -> Vec<u8> {
    let header = pngs::header(width, height, [depth, colour, 0, 0, 0]);
    pngs::png(&[(b"IHDR", &header), (b"IDAT", &zeros(bytes)), (b"IEND", &[])])
}

/// A small picture with a colour profile that inflates.
fn profile() -> Vec<u8> {
    let profile = [b"bomb\0\0".to_vec(), zeros(1 << 30)].concat();
    let header = pngs::header(64, 64, [8, 0, 0, 0, 0]);
    pngs::png(&[(b"IHDR", &header), (b"iCCP", &profile), (b"IDAT", &zeros(1 << 13)), (b"IEND", &[])])
}

fn tiff() -> Vec<u8> {
    let (width, length, compression, rows) = (256, 257, 259, 278);
    tiffs::tiff(&[(width, 15_360), (length, 4096), (compression, 8), (rows, 4096)], &zeros(15_360 * 4096))
}

/// One segment of ten million runs of 128.
fn rle() -> Vec<u8> {
    let mut frame = [1u32.to_le_bytes(), 64u32.to_le_bytes()].concat();
    frame.resize(64, 0);
    frame.extend([129, 0].repeat(10_000_000));
    frame
}
