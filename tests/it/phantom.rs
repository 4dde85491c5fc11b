#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use charls::CharLS;
use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, from_reader};
use kellgrend::{
    phantom::{Coding, Knees, PhantomError, Picture, Subject, bilateral, dicom, jpeg8, knee, png16, tiff16},
    radiograph::{Limits, decode},
    side::Side,
};

/// Mean value of a square of 4 mm around a place in millimetres from the middle.
fn mean(film: &Picture, spacing: f32, x: f32, y: f32) -> f32 {
    let at = |length: f32, size: u32| (size as f32 / 2.0 + length / spacing) as u32;
    let half = (2.0 / spacing) as u32;
    let (x, y) = (at(x, film.width()), at(y, film.height()));
    let values: Vec<f32> = (y - half..y + half)
        .flat_map(|y| (x - half..x + half).map(move |x| f32::from(film.get_pixel(x, y).0[0])))
        .collect();
    values.iter().sum::<f32>() / values.len() as f32
}

/// Width of the joint space in millimetres, the mean over columns from 18 to 30 mm to one side of the middle.
fn joint_space(film: &Picture, spacing: f32, centre: f32, towards: f32) -> f32 {
    let soft = 2000;
    let columns = 60;
    let dark: usize = (0..columns)
        .map(|i| {
            let x = centre + towards * (18.0 + 12.0 * i as f32 / columns as f32);
            let x = (film.width() as f32 / 2.0 + x / spacing) as u32;
            let middle = film.height() / 2;
            let reach = (16.0 / spacing) as u32;
            (middle - reach..middle + reach).filter(|&y| film.get_pixel(x, y).0[0] < soft).count()
        })
        .sum();
    dark as f32 * spacing / columns as f32
}

#[test]
fn a_seed_gives_one_film() {
    let film = knee(7, Side::Left, 0.4);
    assert_eq!(film, knee(7, Side::Left, 0.4));
    assert_ne!(film, knee(8, Side::Left, 0.4));
    assert_eq!(film.dimensions(), (1024, 1024));
    assert!(film.iter().all(|&value| value <= 4095));
    // it has air or thin tissue, bone, and much between
    let (dark, bright) = (film.iter().filter(|v| **v < 1000).count(), film.iter().filter(|v| **v > 2400).count());
    assert!(dark > 10_000 && bright > 200_000, "{dark} dark, {bright} bright");
}

#[test]
fn the_fibula_is_on_the_lateral_side() {
    for seed in 0..4 {
        let right = knee(seed, Side::Right, 0.3);
        let left = knee(seed, Side::Left, 0.3);
        // one looks from the front: the right knee's lateral side is at the picture's left
        for (film, lateral) in [(&right, -1.0), (&left, 1.0)] {
            let (fibula, flesh) = (mean(film, 0.1, 41.5 * lateral, 30.0), mean(film, 0.1, -41.5 * lateral, 30.0));
            assert!(fibula > flesh + 150.0, "seed {seed}: {fibula} beside {flesh}");
        }
    }
}

#[test]
fn the_medial_joint_space_narrows_with_severity() {
    for seed in 0..2 {
        let spaces = [0.0, 0.25, 0.5, 0.75, 1.0].map(|severity| {
            let film = knee(seed, Side::Left, severity);
            (joint_space(&film, 0.1, 0.0, -1.0), joint_space(&film, 0.1, 0.0, 1.0))
        });
        assert!(spaces.is_sorted_by(|a, b| a.0 > b.0), "seed {seed}: {spaces:?}");
        assert!(spaces[0].0 > 3.0 && spaces[4].0 < 1.4, "seed {seed}: {spaces:?}");
        assert!(spaces.iter().all(|space| (space.1 - spaces[0].1).abs() < 1.0), "lateral, seed {seed}: {spaces:?}");
    }
}

#[test]
fn a_severity_out_of_range_is_brought_into_it() {
    assert_eq!(knee(1, Side::Left, 7.0), knee(1, Side::Left, 1.0));
    for low in [-1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(knee(1, Side::Left, low), knee(1, Side::Left, 0.0), "{low}");
    }
}

#[test]
fn a_film_of_both_has_the_right_knee_at_the_left() {
    let film = bilateral(3, 0.0, 1.0);
    assert_eq!(film.dimensions(), (1500, 1100));
    let outer = mean(&film, 0.2, -75.0 - 41.5, 34.0) + mean(&film, 0.2, 75.0 + 41.5, 34.0);
    let inner = mean(&film, 0.2, -75.0 + 41.5, 34.0) + mean(&film, 0.2, 75.0 - 41.5, 34.0);
    assert!(outer > inner + 300.0, "the fibulae are not outside: {outer}, {inner}");
    // medial is towards the middle; only the left knee, at the right, is worn
    assert!(joint_space(&film, 0.2, -75.0, 1.0) > 3.0);
    assert!(joint_space(&film, 0.2, 75.0, -1.0) < 1.4);
    assert!(mean(&film, 0.2, 0.0, 0.0) < 300.0, "there is air between the legs");
}

fn read(bytes: &[u8]) -> DefaultDicomObject {
    from_reader(bytes).unwrap()
}

fn text(object: &DefaultDicomObject, tag: dicom_core::Tag) -> String {
    object.element(tag).unwrap().to_str().unwrap().trim_end_matches([' ', '\0']).to_owned()
}

#[test]
fn dicom_says_what_it_is() {
    let film = knee(5, Side::Right, 0.5);
    for (knees, laterality) in [
        (Knees::One(Side::Left), "L"),
        (Knees::One(Side::Right), "R"),
        (Knees::One(Side::Unknown), "U"),
        (Knees::Both, "B"),
    ] {
        let mut subject = Subject::new(5, knees);
        subject.patient_name = "M\u{fc}ller^Anna".to_owned();
        let object = read(&dicom(&film, &subject, Coding::ExplicitLittleEndian).unwrap());
        for (tag, value) in [
            (tags::MODALITY, "DX"),
            (tags::BODY_PART_EXAMINED, "KNEE"),
            (tags::VIEW_POSITION, "AP"),
            (tags::IMAGE_LATERALITY, laterality),
            (tags::PATIENT_ID, "PHANTOM-5"),
            (tags::PATIENT_NAME, "M\u{fc}ller^Anna"),
            (tags::STUDY_DATE, "20250331"),
            (tags::ROWS, "1024"),
            (tags::BITS_STORED, "12"),
            (tags::WINDOW_WIDTH, "4096"),
        ] {
            assert_eq!(text(&object, tag), value, "{tag}");
        }
        let spacing = if knees == Knees::Both { "0.2\\0.2" } else { "0.1\\0.1" };
        assert_eq!(text(&object, tags::IMAGER_PIXEL_SPACING), spacing);
    }
}

#[test]
fn every_coding_holds_the_same_picture() {
    let film = knee(5, Side::Right, 0.5);
    let subject = Subject::new(5, Knees::One(Side::Right));
    for (coding, syntax) in [
        (Coding::ExplicitLittleEndian, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        (Coding::ImplicitLittleEndian, uids::IMPLICIT_VR_LITTLE_ENDIAN),
        (Coding::JpegLs, uids::JPEGLS_LOSSLESS),
    ] {
        let object = read(&dicom(&film, &subject, coding).unwrap());
        assert_eq!(object.meta().transfer_syntax().trim_end_matches('\0'), syntax);
        let pixels = object.element(tags::PIXEL_DATA).unwrap();
        let (values, interpretation): (Vec<u16>, _) = if coding == Coding::JpegLs {
            let fragments = pixels.value().fragments().unwrap();
            assert!(fragments.len() == 1 && fragments[0].len().is_multiple_of(2));
            let bytes = CharLS::default().decode(&fragments[0]).unwrap();
            let stored = bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
            (stored.map(|value| 4095 - value).collect(), "MONOCHROME1")
        } else {
            (pixels.to_multi_int().unwrap(), "MONOCHROME2")
        };
        assert_eq!(text(&object, tags::PHOTOMETRIC_INTERPRETATION), interpretation);
        assert!(values == *film.as_raw(), "{coding:?} changes pixels");
    }
}

/// Odd rows, long runs, runs of two: what packets may get wrong.
#[test]
fn rle_holds_the_same_picture() {
    let striped = Picture::from_fn(301, 5, |x, y| image::Luma([(x / (1 + 70 * y) * 257 % 4096) as u16]));
    for film in [knee(5, Side::Right, 0.5), striped] {
        let picture = |coding| {
            let bytes = dicom(&film, &Subject::new(5, Knees::One(Side::Right)), coding).unwrap();
            decode(&bytes, &Limits::default()).unwrap().picture
        };
        assert!(picture(Coding::Rle) == picture(Coding::ExplicitLittleEndian));
    }
}

#[test]
fn uids_follow_from_the_seed() {
    let film = Picture::new(2, 2);
    let uids_of = |seed| {
        let object = read(&dicom(&film, &Subject::new(seed, Knees::Both), Coding::ImplicitLittleEndian).unwrap());
        [tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID, tags::SOP_INSTANCE_UID].map(|tag| text(&object, tag))
    };
    let mut all: Vec<String> = (0..50).flat_map(uids_of).collect();
    assert_eq!(all[..3], uids_of(0));
    for uid in &all {
        let number = uid.strip_prefix("2.25.").unwrap();
        let uuid: u128 = number.parse().unwrap();
        assert_eq!((uuid >> 76 & 0xf, uuid >> 62 & 0b11), (8, 0b10), "{uid} is no custom UUID");
        assert!(uid.len() <= 64 && !number.starts_with('0'));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 150);
}

#[test]
fn a_picture_that_dicom_cannot_hold_is_refused() {
    for (width, height) in [(0, 0), (0, 5), (65_536, 1)] {
        let error = dicom(&Picture::new(width, height), &Subject::new(1, Knees::Both), Coding::JpegLs).unwrap_err();
        assert!(matches!(error, PhantomError::Size(w, h) if (w, h) == (width, height)), "{error}");
    }
}

#[test]
fn png_tiff_and_jpeg_hold_the_picture() {
    let film = knee(2, Side::Left, 0.8);
    let png = image::load_from_memory(&png16(&film).unwrap()).unwrap();
    let image::DynamicImage::ImageLuma16(wide) = png else { panic!("the PNG is not 16 bit grey") };
    assert!(wide.iter().zip(film.iter()).all(|(wide, value)| wide >> 4 == *value));
    assert!(wide.iter().any(|wide| wide & 0xf != 0), "twelve bits are not spread over sixteen");
    let tiff = image::load_from_memory(&tiff16(&film).unwrap()).unwrap();
    assert!(tiff.as_luma16() == Some(&wide), "the TIFF is not the PNG's picture");
    let jpeg = image::load_from_memory(&jpeg8(&film).unwrap()).unwrap();
    let image::DynamicImage::ImageLuma8(grey) = jpeg else { panic!("the JPEG is not 8 bit grey") };
    let off: u64 =
        grey.iter().zip(film.iter()).map(|(grey, value)| u64::from((value >> 4).abs_diff(u16::from(*grey)))).sum();
    assert!(off < 2 * 1024 * 1024, "the JPEG is off by {off} levels in all");
}
