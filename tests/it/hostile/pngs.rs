//! PNG pictures whose chunks lie.

use super::{Files, find, inserted, named, overwritten};
use crate::radiograph::samples::{encode, ramp};
use flate2::{Compression, write::ZlibEncoder};
use image::{DynamicImage, ImageFormat, RgbaImage};
use std::io::Write;

pub fn files() -> Files {
    [headers(), order(), lengths(), pixels(), palettes(), pictures()].concat()
}

/// A PNG of these chunks, with the checksums that they should have.
pub fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in chunks {
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(*kind);
        out.extend(*body);
        let mut sum = flate2::Crc::new();
        sum.update(*kind);
        sum.update(body);
        out.extend(sum.sum().to_be_bytes());
    }
    out
}

/// Size, then depth, colour type, compression, filter, interlacing.
pub fn header(width: u32, height: u32, rest: [u8; 5]) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &rest].concat()
}

const GREY: [u8; 5] = [8, 0, 0, 0, 0];

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The ramp's rows, each behind its filter's number.
fn rows(filter: u8) -> Vec<u8> {
    ramp().chunks(64).flat_map(|row| [&[filter], row].concat()).collect()
}

fn with_header(width: u32, rest: [u8; 5]) -> Vec<u8> {
    png(&[(b"IHDR", &header(width, 64, rest)), (b"IDAT", &zlib(&rows(0))), (b"IEND", &[])])
}

fn with_data(data: &[u8]) -> Vec<u8> {
    png(&[(b"IHDR", &header(64, 64, GREY)), (b"IDAT", data), (b"IEND", &[])])
}

fn headers() -> Files {
    let short = header(64, 64, GREY)[..12].to_vec();
    named([
        ("damaged--png-of-no-width", with_header(0, GREY)),
        ("damaged--png-of-3-bits", with_header(64, [3, 0, 0, 0, 0])),
        ("damaged--png-of-no-colour-type", with_header(64, [8, 1, 0, 0, 0])),
        ("damaged--png-of-no-compression", with_header(64, [8, 0, 255, 0, 0])),
        ("damaged--png-of-no-filter", with_header(64, [8, 0, 0, 7, 0])),
        ("damaged--png-interlaced-by-nobody", with_header(64, [8, 0, 0, 0, 2])),
        ("damaged--png-that-is-not-interlaced-as-it-says", with_header(64, [8, 0, 0, 0, 1])),
        (
            "damaged--png-with-a-header-of-12-bytes",
            png(&[(b"IHDR", &short), (b"IDAT", &zlib(&rows(0))), (b"IEND", &[])]),
        ),
    ])
}

/// Chunks that are missing, strange, or at the wrong place.
fn order() -> Files {
    let (header, data) = (header(64, 64, GREY), zlib(&rows(0)));
    let (ihdr, idat, iend) = ((b"IHDR", &header[..]), (b"IDAT", &data[..]), (b"IEND", &[][..]));
    let (one, two) = data.split_at(data.len() / 2);
    let frame = [&[0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 32][..], &[0; 14]].concat();
    named([
        ("damaged--png-of-two-headers", png(&[ihdr, ihdr, idat, iend])),
        ("damaged--png-whose-header-is-not-first", png(&[(b"tEXt", b"a\0b"), ihdr, idat, iend])),
        ("damaged--png-without-pixels", png(&[ihdr, iend])),
        ("damaged--png-with-pixels-behind-its-end", png(&[ihdr, iend, idat])),
        (
            "damaged--png-with-a-word-amid-its-pixels",
            png(&[ihdr, (b"IDAT", one), (b"tEXt", b"a\0b"), (b"IDAT", two), iend]),
        ),
        ("damaged--png-with-a-critical-chunk-of-nobody", png(&[ihdr, (b"ABCD", &[]), idat, iend])),
        ("damaged--png-made-for-a-telephone", png(&[(b"CgBI", &[0x50, 0, 0x20, 2]), ihdr, idat, iend])),
        (
            "damaged--png-animation-of-another-size",
            png(&[ihdr, (b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]), (b"fcTL", &frame), idat, iend]),
        ),
    ])
}

/// Chunks' own lengths, names and checksums.
fn lengths() -> Files {
    let sound = with_data(&zlib(&rows(0)));
    let idat = find(&sound, b"IDAT") - 4;
    let words = b"\0\0\0\x02tEXta\0\0\0\0\0".repeat(20_000);
    let middle = idat + 100;
    named([
        ("damaged--png-with-a-wrong-checksum", overwritten(&sound, middle, &[!sound[middle]])),
        ("damaged--png-chunk-of-2-GiB", overwritten(&sound, idat, &[0x80, 0, 0, 0])),
        ("damaged--png-chunk-without-a-name", inserted(&sound, idat, &[0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0])),
        ("damaged--png-of-20000-words", inserted(&sound, idat, &words)),
        ("truncated--png-with-a-hole-of-zeros", inserted(&sound, idat, &[0; 4096])),
        ("not-an-image--png-sent-as-text", [b"\x89PNG\n\x1a\n", &sound[8..]].concat()),
    ])
}

fn pixels() -> Files {
    named([
        ("damaged--png-of-noise", with_data(&super::noise(1000))),
        ("damaged--png-of-no-row", with_data(&zlib(&[]))),
        ("damaged--png-of-half-the-rows", with_data(&zlib(&rows(0)[..32 * 65]))),
        ("damaged--png-filtered-by-nobody", with_data(&zlib(&rows(5)))),
    ])
}

fn palettes() -> Files {
    let with = |rest, palette: &[u8]| {
        png(&[(b"IHDR", &header(64, 64, rest)), (b"PLTE", palette), (b"IDAT", &zlib(&rows(0))), (b"IEND", &[])])
    };
    named([
        ("damaged--png-without-its-palette", with_header(64, [8, 3, 0, 0, 0])),
        ("damaged--png-with-a-palette-of-no-colour", with([8, 3, 0, 0, 0], &[])),
        ("damaged--png-with-16-bits-of-palette", with([16, 3, 0, 0, 0], &[0; 3])),
        ("blank--png-beyond-its-palette", with([8, 3, 0, 0, 0], &[0; 3])),
    ])
}

fn pictures() -> Files {
    let own = inserted(&encode(ramp(), ImageFormat::Png), 33, b"\0\0\0\x12tEXtSoftware\0kellgrend\x11\x22\x33\x44");
    let blank: DynamicImage = RgbaImage::from_pixel(64, 64, image::Rgba([255; 4])).into();
    named([("own-output--png", own), ("blank--white-png", encode(blank, ImageFormat::Png))])
}
