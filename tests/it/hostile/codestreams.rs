//! JPEG 2000 and JPEG-LS frames whose own headers lie.

use super::{Files, find, inserted, named, overwritten, removed};
use crate::film::{self, Film};
use crate::radiograph::samples::{self, ramp};
use charls::{CharLS, FrameInfo};

pub fn files() -> Files {
    [jpeg_2000_sizes(), jpeg_2000_styles(), jpeg_2000_tiles(), jpeg_ls()].concat()
}

fn jpeg_2000(frame: Vec<u8>) -> Vec<u8> {
    Film::coded(64, 64, 8, frame).file(film::JPEG_2000)
}

/// The SIZ segment: size, tiles, components.
fn jpeg_2000_sizes() -> Files {
    let sound = samples::jpeg_2000();
    let at = |at, bytes: &[u8]| jpeg_2000(overwritten(&sound, at, bytes));
    let wide = overwritten(&sound, 8, &[0, 0, 0x3C, 0, 0, 0, 0x10, 0]);
    let wide = overwritten(&wide, 24, &[0, 0, 0, 1, 0, 0, 0, 1]);
    let boxed = [b"\0\0\0\x0CjP  \r\n\x87\n", &sound[..]].concat();
    named([
        ("damaged--jpeg-2000-of-60000", at(8, &[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60])),
        ("damaged--jpeg-2000-that-starts-behind-its-end", at(16, &[0, 1, 0, 0])),
        ("damaged--jpeg-2000-tiles-of-no-size", at(24, &[0; 8])),
        ("damaged--jpeg-2000-of-no-component", at(40, &[0, 0])),
        ("damaged--jpeg-2000-of-16384-components", at(40, &[0x40, 0])),
        ("damaged--jpeg-2000-of-38-bits", at(42, &[37])),
        ("unsupported--jpeg-2000-of-half-the-pixels", at(43, &[2])),
        ("too-large--jpeg-2000-of-many-tiles", Film::coded(15_360, 4096, 8, wide).file(film::JPEG_2000)),
        ("damaged--jpeg-2000-in-a-file-of-its-own", jpeg_2000(boxed)),
    ])
}

/// The COD and QCD segments: how the wavelets are coded.
fn jpeg_2000_styles() -> Files {
    let sound = samples::jpeg_2000();
    let (cod, qcd) = (find(&sound, &[0xFF, 0x52]), find(&sound, &[0xFF, 0x5C]));
    let style = |offset, bytes: &[u8]| jpeg_2000(overwritten(&sound, cod + offset, bytes));
    // a size for each of six resolutions
    let precincts = inserted(&overwritten(&sound, cod + 3, &[18, 1]), cod + 14, &[0; 6]);
    named([
        ("unsupported--jpeg-2000-of-65535-layers", style(6, &[0xFF, 0xFF])),
        ("unsupported--jpeg-2000-of-33-resolutions", style(9, &[33])),
        ("unsupported--jpeg-2000-of-code-blocks-of-4", style(10, &[0, 0])),
        ("unsupported--jpeg-2000-of-tiny-precincts", jpeg_2000(precincts)),
        ("damaged--jpeg-2000-without-a-style", jpeg_2000(removed(&sound, cod..qcd))),
        ("damaged--jpeg-2000-without-quantisation", jpeg_2000(removed(&sound, qcd..qcd + 21))),
        ("damaged--jpeg-2000-with-no-marker-where-one-should-be", style(0, &[0, 0])),
    ])
}

fn jpeg_2000_tiles() -> Files {
    let sound = samples::jpeg_2000();
    let sot = find(&sound, &[0xFF, 0x90]);
    named([
        ("truncated--jpeg-2000-without-tiles-in-a-frame", jpeg_2000([&sound[..sot], &[0xFF, 0xD9]].concat())),
        ("truncated--jpeg-2000-tile-of-2-GiB-in-a-frame", jpeg_2000(overwritten(&sound, sot + 6, &[0x7F, 0, 0, 0]))),
        ("damaged--jpeg-2000-tile-of-another-picture", jpeg_2000(overwritten(&sound, sot + 4, &[0, 9]))),
    ])
}

fn jpeg_ls() -> Files {
    let film = |frame: Vec<u8>| Film::coded(64, 64, 8, frame).file(film::JPEG_LS);
    let sound = samples::jpeg_ls();
    let (sof, sos) = (find(&sound, &[0xFF, 0xF7]), find(&sound, &[0xFF, 0xDA]));
    let at = |at, bytes: &[u8]| film(overwritten(&sound, at, bytes));
    let preset = |segment: &[u8]| film(inserted(&sound, sos, segment));
    let info = FrameInfo { width: 64, height: 64, bits_per_sample: 8, component_count: 3 };
    let colour = CharLS::default().encode(info, 0, &ramp().repeat(3)).unwrap();
    named([
        ("damaged--jpeg-ls-of-60000", at(sof + 5, &[0xEA, 0x60, 0xEA, 0x60])),
        ("damaged--jpeg-ls-of-17-bits", at(sof + 4, &[17])),
        ("damaged--jpeg-ls-of-one-bit", at(sof + 4, &[1])),
        ("damaged--jpeg-ls-nearer-than-near", at(sos + 7, &[255])),
        ("damaged--jpeg-ls-interleaved-by-nobody", at(sos + 8, &[3])),
        ("damaged--jpeg-ls-with-absurd-thresholds", preset(b"\xFF\xF8\0\x0D\x01\0\x01\xFF\xFF\0\x01\0\0\0\0")),
        ("damaged--jpeg-ls-with-a-preset-of-no-kind", preset(b"\xFF\xF8\0\x03\xFF")),
        ("unsupported--jpeg-ls-in-colour", film(colour)),
    ])
}
