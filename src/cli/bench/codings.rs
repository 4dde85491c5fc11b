//! How fast films are decoded, coding by coding.

use super::{clock::Clock, progress::Progress};
use crate::decoding::Decoders;
use crate::phantom::{Coding, Knees, PhantomError, Subject, bilateral, dicom, jpeg8, png16, tiff16};
use crate::side::Side;
use serde::Serialize;
use std::hint::black_box;

/// How many codings are measured.
pub(super) const COUNT: usize = 7;

/// A film of both knees in one coding, decoded by one process at a time, as grading does.
#[derive(Debug, Serialize)]
pub(super) struct DecodeRate {
    pub(super) coding: &'static str,
    pub(super) file_bytes: usize,
    pub(super) radiographs_per_second: f64,
    pub(super) megapixels_per_second: f64,
}

pub(super) fn measure(decoders: &Decoders, clock: &Clock, progress: &Progress) -> anyhow::Result<Vec<DecodeRate>> {
    let mut rates = Vec::new();
    for (coding, bytes) in films()? {
        progress.next(&format!("decoding {coding}"));
        let mut pixels = 0;
        let rate = clock.rate(|| {
            let film = black_box(decoders.decode(black_box(&bytes), Side::Unknown))?;
            pixels = u64::from(film.size.0) * u64::from(film.size.1);
            anyhow::Ok(())
        })?;
        rates.push(DecodeRate {
            coding,
            file_bytes: bytes.len(),
            radiographs_per_second: rate,
            megapixels_per_second: rate * pixels as f64 / 1e6,
        });
    }
    Ok(rates)
}

/// The same film in every coding that a phantom can be written in.
fn films() -> Result<[(&'static str, Vec<u8>); COUNT], PhantomError> {
    let film = bilateral(1, 0.3, 0.6);
    let as_dicom = |coding| dicom(&film, &Subject::new(1, Knees::Both), coding);
    Ok([
        ("DICOM explicit little endian", as_dicom(Coding::ExplicitLittleEndian)?),
        ("DICOM implicit little endian", as_dicom(Coding::ImplicitLittleEndian)?),
        ("DICOM RLE", as_dicom(Coding::Rle)?),
        ("DICOM JPEG-LS", as_dicom(Coding::JpegLs)?),
        ("PNG 16 bit", png16(&film)?),
        ("TIFF 16 bit", tiff16(&film)?),
        ("JPEG 8 bit", jpeg8(&film)?),
    ])
}
