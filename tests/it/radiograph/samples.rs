//! One small valid file of every coding, all of the same 64 x 64 ramp.

use crate::film::{self, Film};
use charls::{CharLS, FrameInfo};
use image::{DynamicImage, GrayImage, ImageFormat};
use std::io::Cursor;

/// `(column + row) * 2`: from 0 to 252.
pub fn ramp() -> GrayImage {
    GrayImage::from_fn(64, 64, |x, y| image::Luma([((x + y) * 2) as u8]))
}

pub fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

pub fn jpeg_ls() -> Vec<u8> {
    let info = FrameInfo { width: 64, height: 64, bits_per_sample: 8, component_count: 1 };
    CharLS::default().encode(info, 0, &ramp()).unwrap()
}

/// The ramp as OpenJPEG codes it without loss.
pub fn jpeg_2000() -> Vec<u8> {
    const HEX: &str = "ff4fff510029000000000040000000400000000000000000000000400000004000000000000000000001070101ff52000c\
        00000001000504040001ff5c00134040484850484850484850484850484850ff640025000143726561746564206279204f70656e4a50\
        45472076657273696f6e20322e352e33ff90000a0000000000640001ff93df802807cff75ef9c3ea0387d4060d02110b3d8ac1f38583\
        e708221a085d7f037fdd51c0f90340f9030036a199ae639f3da6345b10dbc07c22407c22805fa7c7899dac29403fc03a2c03a2808b62\
        01ab9fe18d62a77effd9";
    (0..HEX.len()).step_by(2).map(|i| u8::from_str_radix(&HEX[i..i + 2], 16).unwrap()).collect()
}

/// A frame of RLE (PS3.5 G): literal packets of 128 bytes.
pub fn rle(planes: &[Vec<u8>]) -> Vec<u8> {
    let segments: Vec<Vec<u8>> = planes
        .iter()
        .map(|plane| plane.chunks(128).flat_map(|part| [&[part.len() as u8 - 1], part].concat()).collect())
        .collect();
    let mut out = (segments.len() as u32).to_le_bytes().to_vec();
    let mut at = 64u32;
    for segment in &segments {
        out.extend(at.to_le_bytes());
        at += segment.len() as u32;
    }
    out.resize(64, 0);
    out.extend(segments.concat());
    out
}

/// The ramp, spread over the whole grey range by a window, in every coding that this test can write.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let ramp = ramp();
    let words: Vec<u16> = ramp.iter().map(|v| u16::from(*v) * 16).collect();
    let wide = Film::grey(64, 64, &words).word(film::STORED, 12).word(film::HIGH_BIT, 11);
    let wide = wide.text(film::CENTER, "DS", "2048").text(film::WIDTH, "DS", "4096");
    let coded = |frame| window8(Film::coded(64, 64, 8, frame));
    vec![
        ("implicit", wide.file(film::IMPLICIT)),
        ("explicit", wide.file(film::EXPLICIT)),
        ("big-endian", wide.file(film::BIG_ENDIAN)),
        ("deflated", wide.file(film::DEFLATED)),
        ("rle", coded(rle(&[ramp.to_vec()])).file(film::RLE)),
        ("dicom-jpeg", coded(encode(ramp.clone(), ImageFormat::Jpeg)).file(film::JPEG)),
        ("jpeg-ls", coded(jpeg_ls()).file(film::JPEG_LS)),
        ("jpeg-2000", coded(jpeg_2000()).file(film::JPEG_2000)),
        ("png", encode(ramp.clone(), ImageFormat::Png)),
        ("jpeg", encode(ramp.clone(), ImageFormat::Jpeg)),
        ("tiff", encode(ramp, ImageFormat::Tiff)),
    ]
}

/// The window that leaves 8-bit values as they are.
pub fn window8(film: Film) -> Film {
    film.text(film::CENTER, "DS", "128").text(film::WIDTH, "DS", "256")
}
