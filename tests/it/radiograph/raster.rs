//! PNG, JPEG and TIFF.

use super::samples::{encode, ramp};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, imageops};
use kellgrend::radiograph::{Completeness, Limits, completeness, decode};

fn grey(bytes: &[u8]) -> GrayImage {
    decode(bytes, &Limits::default()).unwrap_or_else(|refusal| panic!("{refusal}")).picture
}

fn words(values: [u16; 4]) -> DynamicImage {
    ImageBuffer::<Luma<u16>, _>::from_raw(4, 1, values.to_vec()).unwrap().into()
}

#[test]
fn sixteen_bits_are_scaled_by_257_and_twelve_by_their_own_range() {
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        // v / 257: 1.0, 127.498, 127.502, 255
        assert_eq!(grey(&encode(words([257, 32767, 32768, 65535]), format)).to_vec(), [1, 127, 128, 255]);
        // v * 255 / 4095: 0, 6.227, 127.53, 255
        assert_eq!(grey(&encode(words([0, 100, 2048, 4095]), format)).to_vec(), [0, 6, 128, 255]);
        // a little beyond 12 bits, v * 255 / 8191: 0, 3.113, 63.76, 127.5
        assert_eq!(grey(&encode(words([0, 100, 2048, 4096]), format)).to_vec(), [0, 3, 64, 128]);
        // a white frame is no part of the range
        assert_eq!(grey(&encode(words([0, 2048, 65535, 65535]), format)).to_vec(), [0, 128, 255, 255]);
    }
}

#[test]
fn letters_that_are_burned_in_are_not_the_range_of_a_film() {
    for bits in [8u32, 10, 12, 14, 16] {
        let most = (1u32 << bits) - 1;
        let mut film = ImageBuffer::<Luma<u16>, _>::from_fn(40, 40, |x, _| Luma([(x * most / 39) as u16]));
        let plain = grey(&encode(DynamicImage::from(film.clone()), ImageFormat::Png));
        assert_eq!((plain[(0, 0)].0[0], plain[(39, 0)].0[0]), (0, 255), "{bits} bits");
        (0..16).for_each(|at| film.put_pixel(at, 0, Luma([65_535])));
        let lettered = grey(&encode(DynamicImage::from(film), ImageFormat::Png));
        assert!(plain.rows().zip(lettered.rows()).skip(1).all(|(one, other)| one.eq(other)), "{bits} bits");
    }
}

#[test]
fn a_tiff_of_several_films_is_refused() {
    let tiff = |pages: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        for page in 0..pages {
            let picture: Vec<u8> = (0..64).map(|i| i * 3 + page).collect();
            encoder.write_image::<tiff::encoder::colortype::Gray8>(8, 8, &picture).unwrap();
        }
        decode(&bytes.into_inner(), &Limits::default()).map(|film| film.picture.len()).map_err(|refusal| refusal.code())
    };
    assert_eq!((tiff(1), tiff(2)), (Ok(64), Err("unsupported")));
}

/// A picture of 8 x 8, or two of which the second is a thumbnail, with a tag more.
fn tagged(tag: u16, word: u16, kinds: &[u32]) -> Result<usize, &'static str> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    for kind in kinds {
        let mut page = encoder.new_image::<tiff::encoder::colortype::Gray8>(8, 8).unwrap();
        page.encoder().write_tag(tiff::tags::Tag::NewSubfileType, *kind).unwrap();
        page.encoder().write_tag(tiff::tags::Tag::from_u16_exhaustive(tag), word).unwrap();
        page.write_data(&(0..64).map(|i| i * 3).collect::<Vec<u8>>()).unwrap();
    }
    decode(&bytes.into_inner(), &Limits::default()).map(|film| film.picture.len()).map_err(|refusal| refusal.code())
}

#[test]
fn thumbnails_in_a_tiff_are_no_films() {
    const RESOLUTION_UNIT: u16 = 296;
    assert_eq!(tagged(RESOLUTION_UNIT, 2, &[0]), Ok(64));
    assert_eq!(tagged(RESOLUTION_UNIT, 2, &[0, 1]), Ok(64), "the second is a thumbnail");
    assert_eq!(tagged(RESOLUTION_UNIT, 2, &[0, 1, 0]), Err("unsupported"), "the third is another film");
    assert_eq!(tagged(RESOLUTION_UNIT, 2, &[1]), Err("unsupported"), "the film is elsewhere");
    const FILL_ORDER: u16 = 266;
    assert_eq!(tagged(FILL_ORDER, 1, &[0]), Ok(64));
    assert_eq!(tagged(FILL_ORDER, 2, &[0]), Err("unsupported"));
}

#[test]
fn a_tiff_whose_lowest_value_is_white_is_the_negative_in_the_bits_that_it_uses() {
    let negative = |values| {
        let mut bytes = encode(words(values), ImageFormat::Tiff);
        // PhotometricInterpretation, one SHORT: BlackIsZero becomes WhiteIsZero
        let entry = [0x06, 0x01, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00];
        let at = bytes.windows(entry.len()).position(|part| part == entry).expect("black is zero");
        bytes[at + 8] = 0;
        grey(&bytes).to_vec()
    };
    assert_eq!(negative([0, 100, 2048, 4095]), [255, 249, 127, 0]);
    assert_eq!(negative([257, 32767, 32768, 65535]), [254, 128, 127, 0]);
}

#[test]
fn a_tiff_is_whole_when_its_directory_and_all_that_it_tells_of_are_there() {
    let is_whole = |bytes: &[u8]| completeness(bytes, &Limits::default()) == Completeness::Complete;
    // the directory behind the pixels, as programs write it
    let last = encode(ramp(), ImageFormat::Tiff);
    // before them, high bytes first: one strip of six bytes at 38, by a LONG and a SHORT
    let strip = b"\x01\x11\0\x04\0\0\0\x01\0\0\0\x26\x01\x17\0\x03\0\0\0\x01\0\x06\0\0";
    let first = [&b"MM\0*\0\0\0\x08\0\x02"[..], strip, &[0; 4], &[7; 6]].concat();
    for tiff in [&last, &first] {
        assert!(is_whole(tiff));
        for end in 4..tiff.len() {
            assert!(!is_whole(&tiff[..end]), "cut at {end} of {}", tiff.len());
        }
    }
    // the place of the directory is filled in last
    let unfinished = [&last[..4], &[0; 4], &last[8..]].concat();
    assert!(!is_whole(&unfinished));
}

#[test]
fn colour_becomes_luma_and_alpha_is_dropped() {
    // cv2.cvtColor(..., COLOR_RGB2GRAY)
    let rgb = [[10, 200, 30], [255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 3, 199]];
    let expected = [124, 76, 150, 29, 47];
    let colour: DynamicImage = RgbImage::from_fn(5, 1, |x, _| Rgb(rgb[x as usize])).into();
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert_eq!(grey(&encode(colour.clone(), format)).to_vec(), expected);
        assert_eq!(grey(&encode(colour.to_rgba8(), format)).to_vec(), expected);
    }
    let film = decode(&encode(colour, ImageFormat::Png), &Limits::default()).unwrap();
    assert_eq!(film.tags.coding, "PNG, 8 bit colour");
    assert_eq!(film.tags.patient, None);
}

#[test]
fn a_jpeg_is_turned_as_its_exif_orientation_says() {
    let upright = encode(ramp(), ImageFormat::Jpeg);
    let plain = grey(&upright);
    // APP1, big endian TIFF, one entry: orientation 6, turned by 90 degrees clockwise
    let exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let turned = [&upright[..2], exif, &upright[2..]].concat();
    assert_eq!(grey(&turned), imageops::rotate90(&plain));
    assert_ne!(grey(&turned), plain);
    // one that says besides who has made it, too shortly
    let adobe = b"\xFF\xEE\x00\x05Ado";
    assert_eq!(grey(&[&upright[..2], adobe, exif, &upright[2..]].concat()), imageops::rotate90(&plain));
}

#[test]
fn a_png_is_turned_as_its_exif_orientation_says_wherever_it_stands() {
    let plain = encode(ramp(), ImageFormat::Png);
    let exif = b"eXIfMM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let chunk = [&(exif.len() as u32 - 4).to_be_bytes()[..], exif, &crc32(exif).to_be_bytes()].concat();
    // behind the header, and before the end
    for at in [33, plain.len() - 12] {
        let turned = [&plain[..at], &chunk, &plain[at..]].concat();
        assert_eq!(grey(&turned), imageops::rotate90(&ramp()), "at {at}");
    }
}

/// PNG specification, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[test]
fn own_pictures_are_refused() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
    encoder.add_text_chunk("Software".into(), "kellgrend 0.1.0".into()).unwrap();
    encoder.write_header().unwrap().write_image_data(&ramp()).unwrap();
    assert_eq!(decode(&bytes, &Limits::default()).unwrap_err().code(), "own-output");
    let other: Vec<u8> = bytes.windows(9).position(|part| part == b"kellgrend").map_or(vec![], |at| {
        // another program's name needs another checksum, so the whole chunk goes
        [&bytes[..at - 17], &bytes[at + 19..]].concat()
    });
    assert_eq!(grey(&other), ramp());
}

#[test]
fn limits_are_kept() {
    let bytes = encode(ramp(), ImageFormat::Png);
    let refused = |limits| decode(&bytes, &limits).unwrap_err().code();
    assert_eq!(refused(Limits { max_bytes: 10, ..Limits::default() }), "too-large");
    assert_eq!(refused(Limits { max_pixels: 64 * 64 - 1, ..Limits::default() }), "too-large");
    assert_eq!(refused(Limits { max_side: 63, ..Limits::default() }), "too-large");
}
