//! Fragments and RLE frames (PS3.5 A.4 and G) that lie.

use super::{Files, film8, named, overwritten};
use crate::film::{self, Film, Value};
use crate::radiograph::samples::{self, encode, ramp};
use image::{ImageFormat, imageops};

pub fn files() -> Files {
    [fragments(), codings(), rle()].concat()
}

fn in_fragments(fragments: &[&[u8]], syntax: &str) -> Vec<u8> {
    let fragments = fragments.iter().map(|fragment| fragment.to_vec()).collect();
    film8().set(film::PIXELS, "OB", Value::Fragments(fragments)).file(syntax)
}

fn fragments() -> Files {
    let jpeg = encode(ramp(), ImageFormat::Jpeg);
    let rle = samples::rle(&[ramp().to_vec()]);
    let delimiter =
        Value::Lie(u32::MAX, b"\xFE\xFF\0\xE0\0\0\0\0\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0".to_vec());
    named([
        ("truncated--no-fragment-for-a-frame", in_fragments(&[], film::RLE)),
        ("truncated--fragments-of-no-byte-for-a-frame", in_fragments(&[b"", b"", b""], film::JPEG)),
        ("unsupported--two-jpeg-frames", in_fragments(&[&jpeg, &jpeg], film::JPEG)),
        ("unsupported--two-jpeg-ls-frames", in_fragments(&[&samples::jpeg_ls(), &samples::jpeg_ls()], film::JPEG_LS)),
        (
            "unsupported--two-jpeg-2000-frames",
            in_fragments(&[&samples::jpeg_2000(), &samples::jpeg_2000()], film::JPEG_2000),
        ),
        ("damaged--two-rle-frames", in_fragments(&[&rle, &rle], film::RLE)),
        ("damaged--item-delimiter-among-fragments", film8().set(film::PIXELS, "OB", delimiter).file(film::RLE)),
    ])
}

/// Pixels that are coded otherwise than their transfer syntax says.
fn codings() -> Files {
    let coded = |frame: Vec<u8>, syntax| Film::coded(64, 64, 8, frame).file(syntax);
    let quarter = encode(imageops::crop_imm(&ramp(), 0, 0, 32, 32).to_image(), ImageFormat::Jpeg);
    named([
        ("damaged--jpeg-syntax-over-jpeg-ls", coded(samples::jpeg_ls(), film::JPEG)),
        ("damaged--jpeg-ls-syntax-over-jpeg", coded(encode(ramp(), ImageFormat::Jpeg), film::JPEG_LS)),
        ("damaged--jpeg-2000-syntax-over-png", coded(encode(ramp(), ImageFormat::Png), film::JPEG_2000)),
        ("damaged--rle-syntax-over-jpeg", coded(encode(ramp(), ImageFormat::Jpeg), film::RLE)),
        ("damaged--native-pixels-called-jpeg", film8().file(film::JPEG)),
        ("damaged--coded-pixels-called-native", coded(samples::jpeg_ls(), film::EXPLICIT)),
        ("damaged--coded-pixels-called-implicit", coded(samples::jpeg_ls(), film::IMPLICIT)),
        ("damaged--jpeg-of-another-size", coded(quarter, film::JPEG)),
    ])
}

fn rle() -> Files {
    let sound = samples::rle(&[ramp().to_vec()]);
    let film = |frame: Vec<u8>| Film::coded(64, 64, 8, frame).file(film::RLE);
    let word = |at, word: u32| film(overwritten(&sound, at, &word.to_le_bytes()));
    let two = samples::rle(&[vec![0; 4096], ramp().to_vec()]);
    let backwards = [&two[..4], &two[8..12], &two[4..8], &two[12..]].concat();
    // the last 128 pixels as runs of 127 and of 128
    let beyond = [&sound[..sound.len() - 129], &[130, 0, 129, 0]].concat();
    let no_ops = [&sound[..64], &[128; 100_000]].concat();
    named([
        ("damaged--rle-of-no-segment", word(0, 0)),
        ("damaged--rle-of-16-segments", word(0, 16)),
        ("damaged--4-billion-rle-segments", word(0, u32::MAX)),
        ("damaged--rle-segment-at-4-GiB", word(4, 0xFFFF_FFF0)),
        ("damaged--rle-segment-in-its-own-header", word(4, 4)),
        ("damaged--rle-segments-backwards", Film::coded(64, 64, 16, backwards).file(film::RLE)),
        ("damaged--rle-run-beyond-the-frame", film(beyond)),
        ("truncated--rle-of-nothing-in-a-frame", film(no_ops)),
        ("truncated--rle-header-of-60-bytes-in-a-frame", film(sound[..60].to_vec())),
    ])
}
