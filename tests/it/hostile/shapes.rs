//! Pixels that cannot be.

use super::{Files, film8, named};
use crate::film::{self, Film, Value};

pub fn files() -> Files {
    [sizes(), bits(), samples(), frames(), pixels()].concat()
}

fn film(tag: u32, word: u16) -> Vec<u8> {
    film8().word(tag, word).file(film::EXPLICIT)
}

fn sizes() -> Files {
    let both = film8().word(film::ROWS, 65_535).word(film::COLUMNS, 65_535);
    named([
        ("damaged--no-rows", film(film::ROWS, 0)),
        ("damaged--no-columns", film(film::COLUMNS, 0)),
        ("too-large--65535-rows", film(film::ROWS, 65_535)),
        ("too-large--65535-columns", film(film::COLUMNS, 65_535)),
        ("too-large--65535-both", both.file(film::IMPLICIT)),
        ("damaged--rows-missing", film8().without(film::ROWS).file(film::EXPLICIT)),
        ("damaged--a-row-more-than-there-is", film(film::ROWS, 65)),
        ("damaged--half-the-rows", film(film::ROWS, 32)),
        ("damaged--a-column-less-than-there-is", film(film::COLUMNS, 63)),
    ])
}

fn bits() -> Files {
    let words = Film::grey(64, 64, &[0, 1, 2, 3].repeat(1024));
    named([
        ("unsupported--0-bits", film(film::ALLOCATED, 0)),
        ("unsupported--1-bit", film(film::ALLOCATED, 1)),
        ("unsupported--12-bits", film(film::ALLOCATED, 12)),
        ("unsupported--32-bits", film(film::ALLOCATED, 32)),
        ("damaged--16-bits-too-short", film(film::ALLOCATED, 16)),
        ("damaged--stored-above-allocated", film(film::STORED, 9)),
        ("damaged--0-bits-stored", film(film::STORED, 0)),
        ("damaged--17-of-16-bits-stored", words.word(film::STORED, 17).word(film::HIGH_BIT, 16).file(film::EXPLICIT)),
        ("damaged--high-bit-65535", film(film::HIGH_BIT, 65_535)),
        ("damaged--high-bit-below-stored", film(film::HIGH_BIT, 3)),
        ("damaged--signed-in-neither-way", film(film::SIGNED, 2)),
    ])
}

fn samples() -> Files {
    let photometric = |word: &str| film8().text(film::PHOTOMETRIC, "CS", word);
    let colour = |word: &str| {
        let film = Film::grey8(8, 8, &super::noise(192)).word(film::SAMPLES, 3);
        film.text(film::PHOTOMETRIC, "CS", word)
    };
    named([
        ("damaged--no-sample", film(film::SAMPLES, 0)),
        ("damaged--two-samples-of-grey", film(film::SAMPLES, 2)),
        ("damaged--colour-without-a-word-for-it", colour("").file(film::EXPLICIT)),
        ("unsupported--palette", photometric("PALETTE COLOR").file(film::EXPLICIT)),
        ("unsupported--xyz", photometric("XYZ").word(film::SAMPLES, 3).file(film::EXPLICIT)),
        ("unsupported--cmyk", photometric("CMYK").word(film::SAMPLES, 4).file(film::EXPLICIT)),
        ("unsupported--255-samples", photometric("RGB").word(film::SAMPLES, 255).file(film::EXPLICIT)),
        ("unsupported--rgb-of-one-sample", photometric("RGB").file(film::EXPLICIT)),
        ("unsupported--photometric-of-nonsense", photometric("BANANA").file(film::EXPLICIT)),
        ("unsupported--subsampled-without-a-coding", colour("YBR_FULL_422").file(film::EXPLICIT)),
        ("damaged--planar-configuration-7", colour("RGB").word(film::PLANAR, 7).file(film::EXPLICIT)),
    ])
}

fn frames() -> Files {
    let frames = |count: &str| film8().text(film::FRAMES, "IS", count).file(film::EXPLICIT);
    named([
        ("unsupported--2-frames", frames("2")),
        ("unsupported--2-billion-frames", frames("2000000000")),
        ("unsupported--1e9-frames", frames("1e9")),
        ("damaged--minus-one-frames", frames("-1")),
    ])
}

fn pixels() -> Files {
    let floats = film8().without(film::PIXELS).word(film::ALLOCATED, 32);
    let floats = floats.set(0x7FE0_0008, "OF", Value::Bytes(vec![0; 4 * 4096]));
    let icon = film8().without(film::PIXELS).set(0x0088_0200, "SQ", Value::Items(vec![film8()]));
    named([
        ("truncated--pixels-never-came", film8().without(film::PIXELS).file(film::EXPLICIT)),
        ("truncated--pixels-in-an-icon-alone", icon.file(film::EXPLICIT)),
        ("damaged--pixels-of-no-byte", film8().set(film::PIXELS, "OB", Value::Bytes(vec![])).file(film::EXPLICIT)),
        ("unsupported--pixels-of-floats", floats.file(film::EXPLICIT)),
        ("blank--constant", Film::grey8(64, 64, &[9; 4096]).file(film::EXPLICIT)),
    ])
}
