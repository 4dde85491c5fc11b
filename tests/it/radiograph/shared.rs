//! Films that are not part of the project, where they are at hand.

use kellgrend::digest::Digest;
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
    // pydicom 3: apply_voi_lut, inverted and rounded to 255
    let digest = Digest::of(&reference.picture).to_string();
    assert_eq!(digest, "723a668ac381483dbb444f39f5749a69c3a3a5a839784def557cb851de956415");
    for coding in ["UNC", "RLE", "JPLL", "J2KR", "JLSL", "JLSN", "JPLY", "J2KI"] {
        let bytes = read(coding);
        assert_eq!(completeness(&bytes, &Limits::default()), Completeness::Complete, "{coding}");
        let start = std::time::Instant::now();
        let film = decode(&bytes, &Limits::default()).unwrap_or_else(|refusal| panic!("{coding}: {refusal}"));
        println!("{coding}: {:.1} ms, {}", start.elapsed().as_secs_f64() * 1e3, film.tags.coding);
        if ["RLE", "JPLL", "J2KR", "JLSL"].contains(&coding) {
            assert!(film.picture == reference.picture, "{coding} is lossless");
        }
        assert!(
            matches!(completeness(&bytes[..bytes.len() / 2], &Limits::default()), Completeness::Truncated(_)),
            "{coding}"
        );
    }
}

/// The bound of lossy codings holds for stored values, which no picture of 256 greys can show; four can, each with the window
/// of a quarter of the 1024 (PS3.3 C.11.2.1.2: centre and width, in four characters each).
#[test]
fn one_film_in_eight_codings_has_the_same_stored_values() {
    let Some(folder) = shared("dicom/codings") else { return };
    let quarters = |coding: &str| {
        let mut bytes = std::fs::read(folder.join(format!("RG3_{coding}.dcm"))).unwrap();
        let window = bytes.windows(12).position(|part| part == b"(\0P\x10DS\x04\x00550 ").unwrap();
        [128, 384, 640, 896].map(|centre| {
            bytes[window + 8..window + 12].copy_from_slice(format!("{centre} ").as_bytes());
            bytes[window + 20..window + 24].copy_from_slice(b"256 ");
            decode(&bytes, &Limits::default()).unwrap().picture.into_raw()
        })
    };
    let reference = quarters("UNC");
    // MONOCHROME1: the highest value is black
    assert_eq!(reference.each_ref().map(|quarter| quarter.iter().min().copied()), [Some(0); 4]);
    for coding in ["RLE", "JPLL", "J2KR", "JLSL"] {
        assert!(quarters(coding) == reference, "{coding} is lossless");
    }
    for coding in ["JLSN", "JPLY", "J2KI"] {
        let sum: u64 = quarters(coding)
            .iter()
            .zip(&reference)
            .flat_map(|(quarter, as_it_is)| quarter.iter().zip(as_it_is))
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        let mean = sum as f64 / reference[0].len() as f64;
        println!("{coding}: mean difference {mean:.3} of 1023");
        assert!(mean > 0.0 && mean < 2.0, "{coding}: {mean}");
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
    for (name, old, new, expected) in [
        // pydicom's pixels through cv2.cvtColor
        ("ExplVR_BigEnd", "US", "CR", "e21f8f79cc7af448ff0c0886aefab09065c025d4e67e6da842419810bdc2adde"),
        ("JPEG2000", "NM", "CR", "not-a-knee"),
        // cv2.imdecode(..., 0) of its frame
        ("SC_rgb_jpeg_dcmtk", "OT", "SC", "ec1e8df298ca5c8734cb130e9cef6307390dc8317b000cef556773d83cdc610c"),
        ("SC_rgb_rle_16bit_2frame", "OT", "SC", "unsupported"),
        ("badVR", "RTDOSE", "CR    ", "unsupported"),
        // signed, with padding and without a window: pydicom's values from lowest to highest
        ("no_meta", "CT", "CR", "93a18f934884c6cf75086fd23607815aedbbff48950bbc5bf9b5638304cb0000"),
    ] {
        let mut bytes = std::fs::read(folder.join(format!("{name}.dcm"))).unwrap();
        if name == "no_meta" {
            bytes.remove(0);
        }
        // a synthetic one, it says
        if let Some(conversion) = bytes.windows(4).position(|word| word == b"SYN ") {
            bytes[conversion..conversion + 4].copy_from_slice(b"DF  ");
        }
        let vr = bytes.windows(4).position(|part| matches!(part, b"\x60\0CS" | b"\x00\x60CS")).unwrap();
        assert_eq!(&bytes[vr + 6..vr + 6 + old.len()], old.as_bytes(), "{name}");
        bytes[vr + 6..vr + 6 + new.len()].copy_from_slice(new.as_bytes());
        let answer = match decode(&bytes, &Limits::default()) {
            Ok(film) => Digest::of(&film.picture).to_string(),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(answer, expected, "{name}");
    }
}

#[test]
fn every_knee_of_the_set_is_decoded_as_opencv_does() {
    let Some(folder) = shared("knee/val") else { return };
    let mut files: Vec<PathBuf> = (0..5)
        .flat_map(|grade| std::fs::read_dir(folder.join(grade.to_string())).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 826);
    let pixels: Vec<u8> = files
        .iter()
        .flat_map(|file| {
            let film = decode(&std::fs::read(file).unwrap(), &Limits::default()).unwrap();
            assert_eq!((film.picture.dimensions(), film.tags.coding.as_str()), ((299, 299), "JPEG, 8 bit grey"));
            film.picture.into_raw()
        })
        .collect();
    // cv2.imread(..., 0) of all, in the order of their names
    assert_eq!(Digest::of(&pixels).to_string(), "84ba70bf1ede8e497e0953a0c654dac0f308139a5603c881105a5a4a170308fe");
}
