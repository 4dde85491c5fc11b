//! Every coding gives the same picture.

use super::samples::{self, ramp};
use crate::film::{self, Film};
use charls::{CharLS, FrameInfo};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use image::ImageFormat;
use kellgrend::radiograph::{Completeness, Format, Limits, completeness, decode};

#[test]
fn every_coding_gives_the_ramp_and_counts_as_complete() {
    for (name, bytes) in samples::all() {
        let film = decode(&bytes, &Limits::default()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(film.picture.dimensions(), (64, 64), "{name}");
        // 4096 levels come down to 256 by 255/4095, not by 16; the JPEGs are lossy.
        let tolerance = if name.contains("jpeg") && !name.contains('-') || name == "dicom-jpeg" { 2 } else { 1 };
        let worst = film.picture.iter().zip(ramp().iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= tolerance, "{name} differs by {worst}");
        if ["rle", "jpeg-ls", "jpeg-2000", "png", "tiff"].contains(&name) {
            assert_eq!(worst, 0, "{name} is lossless");
        }
        assert_eq!(completeness(&bytes, &Limits::default()), Completeness::Complete, "{name}");
    }
}

#[test]
fn the_format_is_told_by_content() {
    let expected = |name: &str| match name {
        "png" => Format::Png,
        "jpeg" => Format::Jpeg,
        "tiff" => Format::Tiff,
        _ => Format::Dicom,
    };
    for (name, bytes) in samples::all() {
        assert_eq!(Format::sniff(&bytes), Some(expected(name)), "{name}");
    }
    // A TIFF header in the preamble makes no TIFF (PS3.10 7.1).
    let mut dual = samples::all()[1].1.clone();
    dual[..4].copy_from_slice(b"II*\0");
    assert_eq!(Format::sniff(&dual), Some(Format::Dicom));
    assert_eq!((Format::Dicom.extension(), Format::Jpeg.to_string().as_str()), ("dcm", "JPEG"));
}

#[test]
fn a_data_set_without_meta_information_is_read_by_its_first_element() {
    let film = Film::grey8(64, 64, &ramp());
    let expected = decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().picture;
    for (explicit, big) in [(true, false), (false, false), (true, true)] {
        let decoded = decode(&film.data_set(explicit, big), &Limits::default()).unwrap();
        assert_eq!(decoded.picture, expected, "explicit {explicit}, big endian {big}");
        assert_eq!(decoded.tags.coding, "no transfer syntax");
    }
    let without_preamble = &film.file(film::EXPLICIT)[132..];
    assert_eq!(decode(without_preamble, &Limits::default()).unwrap().picture, expected);
    let coded = Film::coded(64, 64, 8, samples::jpeg_ls()).data_set(true, false);
    assert_eq!(decode(&coded, &Limits::default()).unwrap_err().code(), "unsupported");
}

/// Saturated film, whose white a coding with losses lets overshoot the 12 bits that are stored.
#[test]
fn white_that_overshoots_stays_white() {
    let near = |i: usize| 4095 - [0, 1, 2, 3, 0, 7, 0, 2][(i * 5 + i / 64) % 8];
    let words: Vec<u8> = (0..64 * 64).flat_map(|i| (near(i) as u16).to_le_bytes()).collect();
    let info = FrameInfo { width: 64, height: 64, bits_per_sample: 16, component_count: 1 };
    let frame = CharLS::default().encode(info, 3, &words).unwrap();
    let film = Film::coded(64, 64, 16, frame).word(film::STORED, 12).word(film::HIGH_BIT, 11);
    let film = film.text(film::CENTER, "DS", "4090").text(film::WIDTH, "DS", "40");
    let picture = decode(&film.file("1.2.840.10008.1.2.4.81"), &Limits::default()).unwrap().picture;
    assert!(picture.iter().all(|grey| *grey > 90), "{:?}", picture.iter().min());
}

#[test]
fn rle_of_16_bits_and_of_colour() {
    let words: Vec<u16> = (0..64u16).map(|v| v * 1000).collect();
    let planes = [words.iter().map(|v| (v >> 8) as u8).collect(), words.iter().map(|v| *v as u8).collect()];
    let coded = decode(&Film::coded(8, 8, 16, samples::rle(&planes)).file(film::RLE), &Limits::default()).unwrap();
    let native = decode(&Film::grey(8, 8, &words).file(film::EXPLICIT), &Limits::default()).unwrap();
    assert_eq!(coded.picture, native.picture);
    assert_eq!(coded.tags.coding, "RLE Lossless");

    // cv2.cvtColor(..., COLOR_RGB2GRAY) of 8 pixels
    let grey = [124, 76, 150, 29, 2, 251, 128, 47];
    let red = vec![10, 255, 0, 0, 1, 250, 127, 77];
    let green = vec![200, 0, 255, 0, 2, 251, 128, 3];
    let blue = vec![30, 0, 0, 255, 3, 252, 129, 199];
    let colour = |film: Film| film.word(film::SAMPLES, 3).text(film::PHOTOMETRIC, "CS", "RGB");
    let coded = colour(Film::coded(8, 1, 8, samples::rle(&[red.clone(), green.clone(), blue.clone()])));
    // RLE lies by plane whatever this says
    let called_planar = coded.clone().word(film::PLANAR, 1);
    let planar = colour(Film::grey8(8, 1, &[red.clone(), green.clone(), blue.clone()].concat())).word(film::PLANAR, 1);
    let by_pixel: Vec<u8> = (0..8).flat_map(|i| [red[i], green[i], blue[i]]).collect();
    let by_pixel = colour(Film::grey8(8, 1, &by_pixel));
    for (film, syntax) in
        [(coded, film::RLE), (called_planar, film::RLE), (planar, film::EXPLICIT), (by_pixel, film::IMPLICIT)]
    {
        assert_eq!(decode(&film.file(syntax), &Limits::default()).unwrap().picture.to_vec(), grey);
    }
    let luma = Film::grey8(8, 1, &[red, green.clone(), blue].concat()).word(film::SAMPLES, 3).word(film::PLANAR, 1);
    let luma = luma.text(film::PHOTOMETRIC, "CS", "YBR_FULL").file(film::EXPLICIT);
    assert_eq!(decode(&luma, &Limits::default()).unwrap().picture.to_vec(), [10, 255, 0, 0, 1, 250, 127, 77]);
}

#[test]
fn less_than_a_row_behind_the_pixels_is_padding() {
    let padded = [&ramp().as_raw()[..], &[7; 60]].concat();
    let picture = |film: Film| decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().picture;
    assert_eq!(picture(Film::grey8(64, 64, &padded)), picture(Film::grey8(64, 64, &ramp())));
}

#[test]
fn a_frame_in_several_fragments_is_joined() {
    let frame = samples::encode(ramp(), ImageFormat::Jpeg);
    let (one, two) = frame.split_at(frame.len() / 4 * 2);
    let whole = Film::coded(64, 64, 8, frame.clone());
    let parts = whole.clone().set(film::PIXELS, "OB", film::Value::Fragments(vec![one.to_vec(), two.to_vec()]));
    let picture = |film: Film| decode(&film.file(film::JPEG), &Limits::default()).unwrap().picture;
    assert_eq!(picture(parts), picture(whole));
}

/// 8 x 8 values `i * max / 63`, written by libjpeg-turbo's tj3Compress12 and tj3Compress16.
const JPEGS: [(u16, &str, &str); 3] = [
    // process 4, quality 100
    (
        12,
        "1.2.840.10008.1.2.4.51",
        "ffd8ffe000104a46494600010100000100010000ffdb004300010101010101010101010101010101010101010101010101010101\
         01010101010101010101010101010101010101010101010101010101010101010101010101ffc1000b0c0008000801011100ffc4\
         0014000100000000000000000000000000000003ffc4001c1000000603000000000000000000000000000b0e2a3749566774ffda\
         0008010100003f0032d7935f701b0831aad7e5d683ffd9",
    ),
    // process 14, predictor 1
    (
        10,
        "1.2.840.10008.1.2.4.70",
        "ffd8ffe000104a46494600010100000100010000ffc3000b0a0008000801011100ffc40016000101010000000000000000000000\
         000005080affda0008010100010000cffa082082282140a2820822821412282082282141208a08208a141208a08208a141208a08\
         2082341208228208234120822820823fffd9",
    ),
    (
        16,
        "1.2.840.10008.1.2.4.57",
        "ffd8ffe000104a46494600010100000100010000ffc3000b100008000801011100ffc40016000101010000000000000000000000\
         00000b0e10ffda0008010100010000c8208208208208228208214102822820820820822820821410482282082082082282082141\
         04820822820820820822821410482082282082082082282141048208228208208208208234104820820822820820820823410482\
         0820822820820820823fffd9",
    ),
];

#[test]
fn jpeg_of_more_than_8_bits() {
    for (bits, syntax, hex) in JPEGS {
        let frame: Vec<u8> =
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
        let max = u32::from(u16::MAX >> (16 - bits));
        let values: Vec<u16> = (0..64).map(|i| (i * max / 63) as u16).collect();
        let stored = |film: Film| film.word(film::STORED, bits).word(film::HIGH_BIT, bits - 1);
        let coded = decode(&stored(Film::coded(8, 8, 16, frame.clone())).file(syntax), &Limits::default()).unwrap();
        let native = decode(&stored(Film::grey(8, 8, &values)).file(film::EXPLICIT), &Limits::default()).unwrap();
        assert_eq!(coded.picture, native.picture, "{bits} bits");
        let narrow = Film::coded(8, 8, 8, frame).file(syntax);
        assert_eq!(decode(&narrow, &Limits::default()).unwrap_err().code(), "damaged", "{bits} bits in 8");
    }
}

#[test]
fn a_sequential_scan_header_without_its_range_is_mended() {
    let frame = samples::encode(ramp(), ImageFormat::Jpeg);
    let mut flawed = frame.clone();
    let scan = flawed.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    assert_eq!(flawed[scan + 7..scan + 10], [0, 63, 0]);
    flawed[scan + 8] = 0;
    let picture = |bytes: &[u8]| decode(bytes, &Limits::default()).unwrap().picture;
    assert_eq!(picture(&flawed), picture(&frame));
}

#[test]
fn what_dicom_rs_writes_is_read() {
    let inner = InMemDicomObject::from_element_iter([
        DataElement::new(tags::CODE_VALUE, VR::SH, "T-12345"),
        DataElement::new(tags::CODE_MEANING, VR::LO, "Knee joint"),
    ]);
    let middle = InMemDicomObject::from_element_iter([DataElement::new(
        tags::CONCEPT_NAME_CODE_SEQUENCE,
        VR::SQ,
        DataSetSequence::from(vec![inner.clone(), inner]),
    )]);
    let object = InMemDicomObject::from_element_iter([
        DataElement::new(tags::MODALITY, VR::CS, "DX"),
        DataElement::new(tags::ANATOMIC_REGION_SEQUENCE, VR::SQ, DataSetSequence::from(vec![middle])),
        DataElement::new(tags::PATIENT_NAME, VR::PN, "Doe^John"),
        DataElement::new(tags::SAMPLES_PER_PIXEL, VR::US, PrimitiveValue::from(1u16)),
        DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        DataElement::new(tags::ROWS, VR::US, PrimitiveValue::from(64u16)),
        DataElement::new(tags::COLUMNS, VR::US, PrimitiveValue::from(64u16)),
        DataElement::new(tags::BITS_ALLOCATED, VR::US, PrimitiveValue::from(8u16)),
        DataElement::new(tags::WINDOW_CENTER, VR::DS, "128"),
        DataElement::new(tags::WINDOW_WIDTH, VR::DS, "256"),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::from(ramp().to_vec())),
    ]);
    for syntax in [film::IMPLICIT, film::EXPLICIT] {
        let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
        let meta =
            meta.media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.1.1").media_storage_sop_instance_uid("1.2.3");
        let mut bytes = Vec::new();
        object.clone().with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        let film = decode(&bytes, &Limits::default()).unwrap();
        assert_eq!(film.picture, ramp(), "{syntax}");
        assert_eq!(film.tags.patient.unwrap().name.as_deref(), Some("Doe^John"));
        assert_eq!(film.tags.modality.as_deref(), Some("DX"));
    }
}
