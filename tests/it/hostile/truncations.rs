//! Every format, cut at several places.

use super::Files;
use crate::film::{self, Film};
use crate::radiograph::samples::{self, encode, ramp};
use image::ImageFormat;

pub fn files() -> Files {
    let mut files = Files::new();
    for (name, bytes) in samples::all() {
        let start = if name == "png" || name == "jpeg" || name == "tiff" { 12 } else { 260 };
        for part in 0..5 {
            let at = start + (bytes.len() - start - 1) * part / 4;
            files.push((format!("truncated--{name}-after-{at}-bytes"), bytes[..at].to_vec()));
        }
    }
    files.extend(frames());
    files
}

/// The file's lengths are right, but what is in the fragment has lost its end.
fn frames() -> Files {
    let half = |frame: Vec<u8>, syntax| Film::coded(64, 64, 8, frame[..frame.len() / 2].to_vec()).file(syntax);
    super::named([
        ("truncated--half-an-rle-frame", half(samples::rle(&[ramp().to_vec()]), film::RLE)),
        ("truncated--half-a-jpeg-frame", half(encode(ramp(), ImageFormat::Jpeg), film::JPEG)),
        ("truncated--half-a-jpeg-2000-frame", half(samples::jpeg_2000(), film::JPEG_2000)),
        ("truncated--half-a-jpeg-ls-frame", half(samples::jpeg_ls(), film::JPEG_LS)),
    ])
}
