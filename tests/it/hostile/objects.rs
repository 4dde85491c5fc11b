//! DICOM objects that are no film of a knee, some of them hidden behind what other programs would run or show.

use super::{Files, film8, named};
use crate::film::{self, Film, Value};
use crate::radiograph::samples::{encode, ramp};
use image::ImageFormat;

pub fn files() -> Files {
    [without_pixels(), behind_preambles(), other_pictures(), syntaxes()].concat()
}

/// A file whose preamble is not empty.
fn behind(preamble: &[u8], object: Film) -> Vec<u8> {
    let mut file = object.file(film::EXPLICIT);
    file[..preamble.len()].copy_from_slice(preamble);
    file
}

fn object(modality: &str) -> Film {
    Film::default().text(film::MODALITY, "CS", modality)
}

fn without_pixels() -> Files {
    let directory = Film::default().set(0x0004_1220, "SQ", Value::Items(vec![])).file(film::EXPLICIT);
    let class = Film::default().text(0x0002_0002, "UI", "1.2.840.10008.1.3.10").text(0x0002_0010, "UI", film::EXPLICIT);
    let class = class.text(0x0004_1130, "CS", "DISK");
    let waveform = object("ECG").set(0x5400_0100, "SQ", Value::Items(vec![Film::default()]));
    named([
        ("no-pixels--report", object("SR").file(film::EXPLICIT)),
        ("no-pixels--waveform", waveform.file(film::EXPLICIT)),
        (
            "no-pixels--picture-in-an-icon",
            object("KO").set(0x0088_0200, "SQ", Value::Items(vec![film8()])).file(film::EXPLICIT),
        ),
        ("dicom-directory--dicomdir", directory),
        ("dicom-directory--told-by-its-class", [vec![0; 128], b"DICM".to_vec(), class.data_set(true, false)].concat()),
    ])
}

/// Files of two kinds at once: DICOM leaves the first 128 bytes to others.
fn behind_preambles() -> Files {
    let document = object("DOC").set(0x0042_0011, "OB", Value::Bytes(b"%PDF-1.7\n%%EOF\n".to_vec()));
    named([
        ("no-pixels--report-behind-a-program", behind(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF", object("SR"))),
        ("no-pixels--key-objects-behind-a-program", behind(b"\x7fELF\x02\x01\x01\0", object("KO"))),
        ("no-pixels--document-behind-a-pdf", behind(b"%PDF-1.7\n1 0 obj\n", document)),
        (
            "no-pixels--presentation-behind-a-web-page",
            behind(b"<!DOCTYPE html><script>alert(1)</script><!--", object("PR")),
        ),
        ("no-pixels--plan-behind-a-tiff", behind(b"II*\0\x08\0\0\0\0\0", object("RTPLAN"))),
        ("no-pixels--dose-behind-a-png", behind(b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR", object("RTDOSE"))),
        ("no-pixels--structures-behind-a-jpeg", behind(b"\xFF\xD8\xFF\xE0", object("RTSTRUCT"))),
        ("no-pixels--registration-behind-a-zip", behind(b"PK\x03\x04", object("REG"))),
    ])
}

fn other_pictures() -> Files {
    let modality = |word: &str| film8().text(film::MODALITY, "CS", word).file(film::EXPLICIT);
    let clip = Film::coded(64, 64, 8, encode(ramp(), ImageFormat::Jpeg)).text(film::MODALITY, "CS", "US");
    let mask = film8().text(film::MODALITY, "CS", "SEG").word(film::ALLOCATED, 1).word(film::STORED, 1);
    let part = |word: &str| film8().text(film::BODY_PART, "CS", word).file(film::EXPLICIT);
    let view = |word: &str| film8().text(film::VIEW, "CS", word).file(film::EXPLICIT);
    named([
        ("not-a-radiograph--mr", modality("MR")),
        ("not-a-radiograph--unheard-of", modality("ZZ")),
        ("not-a-radiograph--two-modalities", modality("CR\\MR")),
        ("not-a-radiograph--ultrasound-clip", clip.text(film::FRAMES, "IS", "200").file(film::JPEG)),
        ("not-a-radiograph--mask-of-one-bit", mask.file(film::EXPLICIT)),
        ("not-a-knee--chest", part("CHEST")),
        ("not-a-knee--unheard-of", part("XYZZY")),
        ("not-frontal--lateral", view("LATERAL")),
        ("not-frontal--skyline", view("skyline")),
    ])
}

/// Codings that exist, and one that does not.
fn syntaxes() -> Files {
    let syntax = |uid: &str| Film::coded(64, 64, 8, vec![0; 64]).file(uid);
    named([
        ("unsupported--htj2k", syntax("1.2.840.10008.1.2.4.201")),
        ("unsupported--jpeg-xl", syntax("1.2.840.10008.1.2.4.110")),
        ("unsupported--mpeg", syntax("1.2.840.10008.1.2.4.100")),
        ("unsupported--jpip", syntax("1.2.840.10008.1.2.4.94")),
        ("unsupported--uncompressed-in-fragments", syntax("1.2.840.10008.1.2.1.98")),
        ("unsupported--syntax-of-mars", syntax("1.2.3.4")),
    ])
}
