//! A PNG, a JPEG or a TIFF.
#![no_main]

use kellgrend::radiograph::{Format, Limits, completeness, decode};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if Format::sniff(bytes).is_none_or(|format| format == Format::Dicom) {
        return Corpus::Reject;
    }
    let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
    let _ = completeness(bytes, &limits);
    let _ = decode(bytes, &limits);
    Corpus::Keep
});
