//! A hundred and more files that nobody should send. Each must be refused, with a reason, at little cost.
#![allow(clippy::unwrap_used)]

use crate::film::{self, Film, Value};
use crate::radiograph::samples::{self, encode, ramp};
use flate2::{Compression, write::DeflateEncoder, write::ZlibEncoder};
use image::{DynamicImage, ImageFormat, RgbaImage};
use std::io::Write;

/// The files: a name of which the part before `--` is the code of the expected refusal, and the bytes.
pub fn files() -> Vec<(String, Vec<u8>)> {
    [truncations(), lying_lengths(), nesting(), bombs(), shapes(), codestreams(), strangers(), rasters()]
        .into_iter()
        .flatten()
        .collect()
}

type Files = Vec<(String, Vec<u8>)>;

fn named<const N: usize>(files: [(&str, Vec<u8>); N]) -> Files {
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Every format, cut at several places.
fn truncations() -> Files {
    let mut files = Files::new();
    for (name, bytes) in samples::all() {
        let start = if name == "png" || name == "jpeg" || name == "tiff" { 12 } else { 200 };
        for part in 0..5 {
            let at = start + (bytes.len() - start - 1) * part / 4;
            files.push((format!("truncated--{name}-after-{at}-bytes"), bytes[..at].to_vec()));
        }
    }
    // The file's lengths are right, but what is in the fragment has lost its end.
    let ramp = ramp();
    for (name, syntax, frame) in [
        ("rle", film::RLE, samples::rle(&[ramp.to_vec()])),
        ("jpeg", film::JPEG, encode(ramp, ImageFormat::Jpeg)),
        ("jpeg-2000", film::JPEG_2000, samples::jpeg_2000()),
    ] {
        let half = frame[..frame.len() / 2].to_vec();
        files.push((format!("truncated--{name}-frame"), Film::coded(64, 64, 8, half).file(syntax)));
    }
    let frame = samples::jpeg_ls();
    let half = frame[..frame.len() / 2].to_vec();
    files.push(("damaged--jpeg-ls-frame".into(), Film::coded(64, 64, 8, half).file(film::JPEG_LS)));
    files
}

fn film8() -> Film {
    Film::grey8(64, 64, &ramp())
}

/// Lengths that are not there, up to 4 GiB, in every form of header.
fn lying_lengths() -> Files {
    let lie = |length: u32, vr| film8().set(0x0010_1010, vr, Value::Lie(length, vec![0; 8]));
    let pixels = |length: u32| film8().set(film::PIXELS, "OW", Value::Lie(length, vec![0; 64]));
    let open = |content: Vec<u8>| film8().set(0x0010_1010, "SQ", Value::Lie(u32::MAX, content));
    let item = |length: u32| [b"\xFE\xFF\0\xE0".to_vec(), length.to_le_bytes().to_vec(), vec![0; 8]].concat();
    let mut meta = film8().file(film::EXPLICIT);
    meta.splice(132..132, b"\x02\0\x01\0OB\0\0\xF0\xFF\xFF\xFF".iter().copied());
    named([
        ("truncated--short-length", lie(0xFFFE, "LO").file(film::EXPLICIT)),
        ("damaged--4-GiB-OB", lie(0xFFFF_FFFE, "OB").file(film::EXPLICIT)),
        ("damaged--4-GiB-UT", lie(0xFFFF_FFFE, "UT").file(film::EXPLICIT)),
        ("damaged--4-GiB-UN", lie(0xFFFF_FFF0, "UN").file(film::EXPLICIT)),
        ("damaged--4-GiB-SQ", lie(0xFFFF_FFF0, "SQ").file(film::EXPLICIT)),
        ("damaged--4-GiB-implicit", lie(0xFFFF_FFF0, "LO").file(film::IMPLICIT)),
        ("damaged--4-GiB-big-endian", lie(0xFFFF_FFF0, "OW").file(film::BIG_ENDIAN)),
        ("damaged--4-GiB-deflated", lie(0xFFFF_FFF0, "OB").file(film::DEFLATED)),
        ("damaged--4-GiB-pixels", pixels(0xFFFF_FFF0).file(film::EXPLICIT)),
        ("truncated--500-MB-pixels", pixels(500 << 20).file(film::EXPLICIT)),
        ("damaged--pixels-too-short-for-their-shape", film8().word(film::ROWS, 65).file(film::EXPLICIT)),
        ("truncated--undefined-length-without-items", pixels(u32::MAX).file(film::EXPLICIT)),
        ("damaged--4-GiB-item", open(item(0xFFFF_FFF0)).file(film::EXPLICIT)),
        (
            "damaged--4-GiB-fragment",
            film8().set(film::PIXELS, "OB", Value::Lie(u32::MAX, item(0xFFFF_FFF0))).file(film::RLE),
        ),
        ("damaged--4-GiB-meta-element", meta),
        ("damaged--sequence-without-end", open(item(8)).file(film::EXPLICIT)),
    ])
}

/// Sequences in sequences, and elements without number.
fn nesting() -> Files {
    let item = b"\xFE\xFF\0\xE0\xFF\xFF\xFF\xFF";
    let nested = |vr: &'static str, explicit: bool| {
        let mut level = item.to_vec();
        level.extend(b"\x10\0\x10\x10");
        if explicit {
            level.extend(vr.as_bytes());
            level.extend([0, 0]);
        }
        level.extend([0xFF; 4]);
        Film::default().set(0x0010_1010, vr, Value::Lie(u32::MAX, level.repeat(10_000)))
    };
    let mut flood = film::meta(film::EXPLICIT);
    flood.extend(b"\x09\0\x10\0LO\0\0".repeat(200_000));
    let mut items = film::meta(film::EXPLICIT);
    items.extend(b"\x08\0\x10\0SQ\0\0\xFF\xFF\xFF\xFF");
    items.extend(b"\xFE\xFF\0\xE0\0\0\0\0".repeat(200_000));
    named([
        ("damaged--10000-nested-explicit", nested("SQ", true).file(film::EXPLICIT)),
        ("damaged--10000-nested-implicit", nested("SQ", false).file(film::IMPLICIT)),
        ("damaged--10000-nested-unknown", nested("UN", false).file(film::EXPLICIT)),
        ("damaged--200000-elements", flood),
        ("damaged--200000-items", items),
    ])
}

/// Little that becomes much.
fn bombs() -> Files {
    let mut deflated = film::meta(film::DEFLATED);
    let mut encoder = DeflateEncoder::new(&mut deflated, Compression::fast());
    encoder.write_all(b"\x09\0\x10\0OB\0\0\0\0\0\x20").unwrap();
    for _ in 0..512 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap();
    named([
        ("too-large--deflate-bomb", deflated),
        ("too-large--png-bomb", png(60_000, 60_000, 0, 8, 1 << 20)),
        ("too-large--png-of-500-MiB", png(8192, 8192, 6, 16, 1 << 20)),
        ("blank--png-of-64-MiB-of-zeros", png(16_384, 4096, 0, 8, 16_385 * 4096)),
        ("damaged--rle-bomb", Film::coded(64, 64, 8, rle_bomb()).file(film::RLE)),
    ])
}

/// A PNG whose data inflate to zeros.
fn png(width: u32, height: u32, colour: u8, depth: u8, zeros: usize) -> Vec<u8> {
    let mut data = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..zeros >> 12 {
        data.write_all(&[0; 1 << 12]).unwrap();
    }
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", header), (b"IDAT", data.finish().unwrap()), (b"IEND", vec![])] {
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(kind);
        out.extend(&body);
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(&body);
        out.extend(sum.sum().to_be_bytes());
    }
    out
}

/// One segment of ten million runs of 128.
fn rle_bomb() -> Vec<u8> {
    let mut frame = [1u32.to_le_bytes(), 64u32.to_le_bytes()].concat();
    frame.resize(64, 0);
    frame.extend([129, 0].repeat(10_000_000));
    frame
}

/// Pixels that cannot be.
fn shapes() -> Files {
    let film = |tag, word| film8().word(tag, word).file(film::EXPLICIT);
    let frames = |count: &str| film8().text(film::FRAMES, "IS", count).file(film::EXPLICIT);
    let photometric = |word: &str| film8().text(film::PHOTOMETRIC, "CS", word);
    let lut = Film::default().set(0x0028_3002, "US", Value::Words(vec![0, 0, 16]));
    let lut = Value::Items(vec![lut.set(0x0028_3006, "OW", Value::Words(vec![1, 2]))]);
    named([
        ("damaged--no-rows", film(film::ROWS, 0)),
        ("damaged--no-columns", film(film::COLUMNS, 0)),
        ("too-large--65535-rows", film(film::ROWS, 65_535)),
        ("too-large--65535-columns", film(film::COLUMNS, 65_535)),
        ("too-large--65535-both", film8().word(film::ROWS, 65_535).word(film::COLUMNS, 65_535).file(film::IMPLICIT)),
        ("damaged--rows-missing", film8().without(film::ROWS).file(film::EXPLICIT)),
        ("unsupported--0-bits", film(film::ALLOCATED, 0)),
        ("unsupported--1-bit", film(film::ALLOCATED, 1)),
        ("unsupported--12-bits", film(film::ALLOCATED, 12)),
        ("unsupported--32-bits", film(film::ALLOCATED, 32)),
        ("damaged--16-bits-too-short", film8().word(film::ALLOCATED, 16).file(film::EXPLICIT)),
        ("damaged--stored-above-allocated", film(film::STORED, 9)),
        ("damaged--0-bits-stored", film(film::STORED, 0)),
        ("damaged--high-bit-65535", film(film::HIGH_BIT, 65_535)),
        ("damaged--high-bit-below-stored", film(film::HIGH_BIT, 3)),
        ("damaged--two-samples-of-grey", film(film::SAMPLES, 2)),
        ("unsupported--2-frames", frames("2")),
        ("unsupported--2-billion-frames", frames("2000000000")),
        ("unsupported--palette", photometric("PALETTE COLOR").file(film::EXPLICIT)),
        ("unsupported--xyz", photometric("XYZ").word(film::SAMPLES, 3).file(film::EXPLICIT)),
        ("damaged--lut-without-data", film8().set(film::VOI_LUT, "SQ", lut).file(film::EXPLICIT)),
        ("blank--constant", Film::grey8(64, 64, &[9; 4096]).file(film::EXPLICIT)),
    ])
}

/// Coded frames whose own header lies.
fn codestreams() -> Files {
    let big = 60_000u32;
    let mut j2k = samples::jpeg_2000();
    j2k[8..12].copy_from_slice(&big.to_be_bytes());
    j2k[12..16].copy_from_slice(&big.to_be_bytes());
    let mut tiles = samples::jpeg_2000();
    tiles[24..32].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    let mut precincts = samples::jpeg_2000();
    let cod = precincts.windows(2).position(|two| two == [0xFF, 0x52]).unwrap();
    precincts[cod + 3] = 18;
    precincts[cod + 4] |= 1;
    precincts.splice(cod + 14..cod + 14, [0; 6]);
    let sot = samples::jpeg_2000().windows(2).position(|two| two == [0xFF, 0x90]).unwrap();
    let header_only = [&samples::jpeg_2000()[..sot], &[0xFF, 0xD9]].concat();
    let sof = |mut jpeg: Vec<u8>, marker: u8| {
        let at = jpeg.windows(2).position(|two| two == [0xFF, marker]).unwrap();
        jpeg[at + 5..at + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
        jpeg
    };
    let jpeg = sof(encode(ramp(), ImageFormat::Jpeg), 0xC0);
    let mut segments = samples::rle(&[ramp().to_vec()]);
    segments[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut offsets = samples::rle(&[ramp().to_vec()]);
    offsets[4..8].copy_from_slice(&0xFFFF_FFF0u32.to_le_bytes());
    let j2k_film = |frame| Film::coded(64, 64, 8, frame).file(film::JPEG_2000);
    named([
        ("damaged--jpeg-2000-of-60000", j2k_film(j2k)),
        ("truncated--jpeg-2000-without-tiles", j2k_film(header_only)),
        ("too-large--jpeg-2000-of-many-tiles", Film::coded(16_384, 4096, 8, wide_tiles(&tiles)).file(film::JPEG_2000)),
        ("unsupported--jpeg-2000-of-tiny-precincts", j2k_film(precincts)),
        ("too-large--dicom-jpeg-of-60000", Film::coded(64, 64, 8, jpeg.clone()).file(film::JPEG)),
        ("damaged--jpeg-ls-of-60000", Film::coded(64, 64, 8, sof(samples::jpeg_ls(), 0xF7)).file(film::JPEG_LS)),
        ("too-large--jpeg-of-60000", jpeg),
        ("damaged--4-billion-rle-segments", Film::coded(64, 64, 8, segments).file(film::RLE)),
        ("damaged--rle-segment-at-4-GiB", Film::coded(64, 64, 8, offsets).file(film::RLE)),
        ("damaged--jpeg-syntax-over-jpeg-ls", Film::coded(64, 64, 8, samples::jpeg_ls()).file(film::JPEG)),
        ("damaged--native-pixels-called-jpeg", film8().file(film::JPEG)),
        ("damaged--coded-pixels-called-native", Film::coded(64, 64, 8, samples::jpeg_ls()).file(film::EXPLICIT)),
        ("truncated--no-fragment", film8().set(film::PIXELS, "OB", Value::Fragments(vec![])).file(film::RLE)),
    ])
}

fn wide_tiles(tiles: &[u8]) -> Vec<u8> {
    let mut wide = tiles.to_vec();
    wide[8..16].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x10, 0]);
    wide
}

/// What is no film at all.
fn strangers() -> Files {
    let modality = |word: &str| film8().text(film::MODALITY, "CS", word).file(film::EXPLICIT);
    let syntax = |uid: &str| Film::coded(64, 64, 8, vec![0; 64]).file(uid);
    let report = Film::default().text(film::MODALITY, "CS", "SR").file(film::EXPLICIT);
    let directory = Film::default().set(0x0004_1220, "SQ", Value::Items(vec![])).file(film::EXPLICIT);
    let mut noise = 1u32;
    let noise = (0..4096).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    });
    named([
        ("empty--file", vec![]),
        ("truncated--zeros", vec![0; 4096]),
        ("not-an-image--one-byte", vec![b'x']),
        ("not-an-image--text", b"The patient was seen today.\n".to_vec()),
        ("not-an-image--html", b"<!DOCTYPE html><html></html>".to_vec()),
        ("not-an-image--noise", noise.collect()),
        ("not-an-image--pdf", b"%PDF-1.7\n".to_vec()),
        ("not-an-image--gif", b"GIF89a\x01\0\x01\0".to_vec()),
        ("not-an-image--wrong-magic", {
            let mut b = film8().file(film::EXPLICIT);
            b[128..132].copy_from_slice(b"DCIM");
            b
        }),
        ("archive--zip", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("archive--gzip", b"\x1f\x8b\x08\0\0\0\0\0".to_vec()),
        ("truncated--magic-word-alone", [vec![0; 128], b"DICM".to_vec()].concat()),
        ("no-pixels--report", report),
        ("dicom-directory--dicomdir", directory),
        ("not-a-radiograph--mr", modality("MR")),
        ("not-a-radiograph--unheard-of", modality("ZZ")),
        ("not-a-knee--chest", film8().text(film::BODY_PART, "CS", "CHEST").file(film::EXPLICIT)),
        ("not-frontal--lateral", film8().text(film::VIEW, "CS", "LATERAL").file(film::EXPLICIT)),
        ("truncated--pixels-never-came", film8().without(film::PIXELS).file(film::EXPLICIT)),
        ("unsupported--htj2k", syntax("1.2.840.10008.1.2.4.201")),
        ("unsupported--jpeg-xl", syntax("1.2.840.10008.1.2.4.110")),
        ("unsupported--mpeg", syntax("1.2.840.10008.1.2.4.100")),
        ("unsupported--syntax-of-mars", syntax("1.2.3.4")),
    ])
}

/// Pictures with something wrong.
fn rasters() -> Files {
    let mut sum = encode(ramp(), ImageFormat::Png);
    let middle = sum.len() / 2;
    sum[middle] ^= 0xFF;
    let own = {
        let mut bytes = encode(ramp(), ImageFormat::Png);
        let chunk = b"\0\0\0\x12tEXtSoftware\0kellgrend\x11\x22\x33\x44";
        bytes.splice(33..33, chunk.iter().copied());
        bytes
    };
    let blank: DynamicImage = RgbaImage::from_pixel(64, 64, image::Rgba([255; 4])).into();
    // width, height, bits, no compression, black is zero, one strip at byte 8 of 4 GiB
    let tags = [
        (256, 60_000),
        (257, 60_000),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 60_000),
        (279, u32::MAX),
    ];
    let mut tiff = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, value) in tags {
        tiff.extend(u16::to_le_bytes(tag));
        tiff.extend(4u16.to_le_bytes());
        tiff.extend(1u32.to_le_bytes());
        tiff.extend(u32::to_le_bytes(value));
    }
    tiff.extend([0; 4]);
    named([
        ("damaged--png-with-a-wrong-checksum", sum),
        ("own-output--png", own),
        ("blank--white-png", encode(blank.clone(), ImageFormat::Png)),
        ("blank--white-jpeg", encode(blank.to_rgb8(), ImageFormat::Jpeg)),
        ("too-large--tiff-of-60000", tiff),
        ("truncated--tiff-without-a-directory", b"II*\0\0\0\0\0\0\0\0\0".to_vec()),
    ])
}
