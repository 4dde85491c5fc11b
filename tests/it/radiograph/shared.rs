//! Films that are not part of the project, where they are at hand.

use kellgrend::radiograph::{Completeness, Limits, completeness, decode};
use kellgrend::side::Side;
use std::path::PathBuf;

fn shared(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: ../shared/{} is missing", path.file_name().unwrap_or_default().display());
    None
}

#[test]
fn one_film_in_eight_codings_gives_one_picture() {
    let Some(folder) = shared("dicom/codings") else { return };
    let read = |coding: &str| std::fs::read(folder.join(format!("RG3_{coding}.dcm"))).unwrap();
    let reference = decode(&read("UNC"), &Limits::default()).unwrap();
    assert_eq!(reference.picture.dimensions(), (1760, 1760));
    assert_eq!(reference.knees()[0].side, Side::Right);
    for coding in ["UNC", "RLE", "JPLL", "J2KR", "JLSL", "JLSN", "JPLY", "J2KI"] {
        let bytes = read(coding);
        assert_eq!(completeness(&bytes), Completeness::Complete, "{coding}");
        let start = std::time::Instant::now();
        let film = decode(&bytes, &Limits::default()).unwrap_or_else(|refusal| panic!("{coding}: {refusal}"));
        println!("{coding}: {:.1} ms, {}", start.elapsed().as_secs_f64() * 1e3, film.tags.coding);
        if ["RLE", "JPLL", "J2KR", "JLSL"].contains(&coding) {
            assert!(film.picture == reference.picture, "{coding} is lossless");
        }
        let difference: u64 =
            film.picture.iter().zip(reference.picture.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        // 2 of 1023 levels are half a level of 255.
        let mean = difference as f64 / f64::from(1760 * 1760) * 1023.0 / 255.0;
        assert!(mean < 2.0, "{coding} differs by {mean} levels of 1023");
        assert!(matches!(completeness(&bytes[..bytes.len() / 2]), Completeness::Truncated(_)), "{coding}");
    }
}

#[test]
fn odd_files_end_as_expected() {
    let Some(folder) = shared("dicom/odd") else { return };
    for (name, code) in [
        ("ExplVR_BigEnd", "not-a-radiograph"),
        ("JPEG2000", "not-a-radiograph"),
        ("MR_truncated", "truncated"),
        ("SC_rgb_jpeg_dcmtk", "not-a-radiograph"),
        ("SC_rgb_rle_16bit_2frame", "not-a-radiograph"),
        ("badVR", "not-a-radiograph"),
        ("image_dfl", "not-a-radiograph"),
        ("nested_priv_SQ", "damaged"),
        // a stray byte comes before its first element
        ("no_meta", "not-an-image"),
        ("rtplan_truncated", "truncated"),
    ] {
        let bytes = std::fs::read(folder.join(format!("{name}.dcm"))).unwrap();
        let refusal = decode(&bytes, &Limits::default()).unwrap_err();
        assert_eq!(refusal.code(), code, "{name}: {refusal}");
    }
    // The same objects with another modality's word in its place show that their pixels can be read.
    for (name, old, new, code) in [
        ("ExplVR_BigEnd", "US", "CR", "decoded"),
        ("JPEG2000", "NM", "CR", "not-a-knee"),
        ("SC_rgb_jpeg_dcmtk", "OT", "SC", "decoded"),
        ("SC_rgb_rle_16bit_2frame", "OT", "SC", "unsupported"),
        ("badVR", "RTDOSE", "CR    ", "unsupported"),
        ("no_meta", "CT", "CR", "decoded"),
    ] {
        let mut bytes = std::fs::read(folder.join(format!("{name}.dcm"))).unwrap();
        if name == "no_meta" {
            bytes.remove(0);
        }
        let vr = bytes.windows(4).position(|part| matches!(part, b"\x60\0CS" | b"\x00\x60CS")).unwrap();
        assert_eq!(&bytes[vr + 6..vr + 6 + old.len()], old.as_bytes(), "{name}");
        bytes[vr + 6..vr + 6 + new.len()].copy_from_slice(new.as_bytes());
        let answer = decode(&bytes, &Limits::default());
        assert_eq!(answer.as_ref().map_or_else(|refusal| refusal.code(), |_| "decoded"), code, "{name}: {answer:?}");
    }
}

#[test]
fn a_knee_of_the_set_is_decoded_as_opencv_does() {
    let Some(folder) = shared("knee/val/4") else { return };
    // cv2.imread(..., 0): SHA-256 of the 299 x 299 bytes
    for (name, digest) in GOLDEN {
        let film = decode(&std::fs::read(folder.join(name)).unwrap(), &Limits::default()).unwrap();
        assert_eq!(film.picture.dimensions(), (299, 299));
        assert_eq!(kellgrend::digest::Digest::of(&film.picture).to_string(), digest, "{name}");
        assert_eq!(film.tags.coding, "JPEG, 8 bit grey");
    }
}

const GOLDEN: [(&str, &str); 3] = [
    ("9070207R.jpg", "d7d327e85d695d04d4ba0b265e56c70ebe6f3819ff48bb3a8e062f55a2090ab0"),
    ("9086204R.jpg", "0450b7fd4f5b259454d41b2d1376b1315cf4a618e931ac9e3963f90e5244bd22"),
    ("9115049L.jpg", "3e245ad2465f818e278b16438500b26fc155603b0f9e96850845ac4286a59231"),
];
