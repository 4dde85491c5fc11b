//! Which knees are on a film, and where.

use super::samples::window8;
use crate::film::{self, Film};
use kellgrend::radiograph::{Laterality, Limits, Radiograph, decode, side_from_name};
use kellgrend::side::Side;

/// 8 x 2, each pixel its column times 30.
fn wide(image: &str, series: &str) -> Radiograph {
    let pixels: Vec<u8> = (0..16).map(|i| (i % 8) * 30).collect();
    let film = window8(Film::grey8(8, 2, &pixels));
    let film = film.text(film::IMAGE_LATERALITY, "CS", image).text(film::LATERALITY, "CS", series);
    decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap()
}

#[test]
fn laterality_is_the_images_then_the_series() {
    let of = |image, series| wide(image, series).tags.laterality;
    let knee = Laterality::Knee;
    assert_eq!(of("L", ""), knee(Side::Left));
    assert_eq!(of("", "R"), knee(Side::Right));
    assert_eq!(of("R", "R"), knee(Side::Right));
    assert_eq!(of("L", "R"), knee(Side::Unknown));
    assert_eq!(of("", ""), knee(Side::Unknown));
    assert_eq!(of("U", ""), knee(Side::Unknown));
    assert_eq!(of("B", ""), Laterality::Both);
    assert_eq!(of("", "B"), Laterality::Both);
    // in words, as some devices write it
    assert_eq!(of("LEFT", ""), knee(Side::Left));
    assert_eq!(of("", "Right"), knee(Side::Right));
    assert_eq!(of("LEFT", "R"), knee(Side::Unknown));
    assert_eq!(of("BILATERAL", ""), Laterality::Both);
    assert_eq!(of("R\\L", ""), Laterality::Both);
    // a series of both knees may have films of one, and one of them
    assert_eq!(of("B", "L"), Laterality::Both);
    assert_eq!(of("R", "B"), knee(Side::Right));
}

#[test]
fn view_or_body_part_may_say_that_both_knees_are_there() {
    let of = |tag, words, image| {
        let film = window8(Film::grey8(8, 2, &(0..16).collect::<Vec<u8>>()));
        let film = film.without(film::BODY_PART).text(tag, "CS", words).text(film::IMAGE_LATERALITY, "CS", image);
        decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().tags.laterality
    };
    assert_eq!(of(film::VIEW, "AP BILATERAL", ""), Laterality::Both);
    assert_eq!(of(film::BODY_PART, "Both Knees", ""), Laterality::Both);
    assert_eq!(of(film::VIEW, "AP", ""), Laterality::Knee(Side::Unknown));
    // one of them, cut out
    assert_eq!(of(film::VIEW, "AP BILATERAL", "R"), Laterality::Knee(Side::Right));
}

const SERIES: u32 = 0x0008_103E;
const PROTOCOL: u32 = 0x0018_1030;
const PROCESSING: u32 = 0x0018_1400;

/// What a film of these columns and 64 rows says, no tag of it by itself.
fn side(columns: u16, tags: &[(u32, &str)]) -> Laterality {
    let pixels: Vec<u8> = (0..u32::from(columns) * 64).map(|i| (i % 251) as u8).collect();
    let film = window8(Film::grey8(columns, 64, &pixels)).without(film::BODY_PART).without(film::VIEW);
    let film = tags.iter().fold(film, |film, (tag, words)| film.text(*tag, "LO", words));
    decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().tags.laterality
}

#[test]
fn descriptions_of_a_wide_film_may_say_that_both_knees_are_there() {
    for tags in [
        [(SERIES, "KNEES AP STANDING BILAT")],
        [(PROCESSING, "Both knees AP")],
        [(SERIES, "Knee bi-lateral standing")],
        [(SERIES, "Knees AP WB")],
        [(film::BODY_PART, "KNEES")],
    ] {
        assert_eq!(side(90, &tags), Laterality::Both, "{tags:?}");
        assert_eq!(side(64, &tags), Laterality::Knee(Side::Unknown), "one of a series: {tags:?}");
    }
    assert_eq!(side(90, &[(PROTOCOL, "XR KNEES BILAT")]), Laterality::Knee(Side::Unknown), "was ordered");
    // what is seen counts, not what was exposed
    let shutter = [
        (0x0018_1600, "RECTANGULAR"),
        (0x0018_1602, "21"),
        (0x0018_1604, "60"),
        (0x0018_1606, "1"),
        (0x0018_1608, "64"),
    ];
    let shut = [&shutter[..], &[(SERIES, "Knees AP")]].concat();
    assert_eq!(side(90, &shut), Laterality::Knee(Side::Unknown));
    let of_one = [(SERIES, "Knees AP bilateral"), (film::BODY_PART, "LEFT KNEE")];
    assert_eq!(side(90, &of_one), Laterality::Knee(Side::Left));
    assert_eq!(side(90, &[(film::VIEW, "AP BI-LATERAL")]), Laterality::Both);
}

#[test]
fn another_tag_may_name_the_side_and_contradict_it() {
    for (tag, words, named) in [
        (film::BODY_PART, "LEFT KNEE", Side::Left),
        (film::BODY_PART, "R KNEE", Side::Right),
        (SERIES, "Knee AP right", Side::Right),
        (PROCESSING, "Knie links a.p.", Side::Left),
        (PROTOCOL, "XR KNEE RIGHT", Side::Unknown),
        (SERIES, "Knee AP/L", Side::Unknown),
        (SERIES, "Knee left and right", Side::Unknown),
        (SERIES, "Bright room", Side::Unknown),
    ] {
        assert_eq!(side(64, &[(tag, words)]), Laterality::Knee(named), "{words}");
        let said = |letter| side(64, &[(tag, words), (film::IMAGE_LATERALITY, letter)]);
        let left = if named == Side::Right { Side::Unknown } else { Side::Left };
        assert_eq!(said("L"), Laterality::Knee(left), "{words}");
    }
    assert_eq!(side(64, &[(film::BODY_PART, "LEFT KNEE"), (SERIES, "Knee right")]), Laterality::Knee(Side::Unknown));
}

#[test]
fn the_code_beside_the_region_names_a_side() {
    let coded = |value: &str| {
        let code = |value: &str| Film::default().text(0x0008_0100, "SH", value).text(0x0008_0102, "SH", "SCT");
        let region = code("72696002").set(0x0008_2220, "SQ", film::Value::Items(vec![code(value)]));
        let film = window8(Film::grey8(90, 64, &(0..90 * 64).map(|i| (i % 251) as u8).collect::<Vec<u8>>()));
        let film = film.set(0x0008_2218, "SQ", film::Value::Items(vec![region]));
        decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().tags.laterality
    };
    assert_eq!(coded("7771000"), Laterality::Knee(Side::Left));
    assert_eq!(coded("G-A100"), Laterality::Knee(Side::Right));
    assert_eq!(coded("51440002"), Laterality::Both);
}

#[test]
fn half_a_metre_is_no_knee() {
    let film = |laterality: &str, spacing: &str| {
        let pixels: Vec<u8> = (0..300 * 200).map(|i| (i % 251) as u8).collect();
        let film = window8(Film::grey8(300, 200, &pixels)).text(film::IMAGE_LATERALITY, "CS", laterality);
        let film = film.text(0x0018_1164, "DS", spacing);
        let read = decode(&film.file(film::EXPLICIT), &Limits::default()).and_then(|film| film.gradable());
        read.map(|knees| knees.len()).map_err(|refusal| refusal.code())
    };
    assert_eq!(film("L", "1.4\\1.4"), Ok(1));
    assert_eq!(film("L", "2.15\\2.15"), Err("unsupported"));
    assert_eq!(film("B", "2.15\\2.15"), Ok(2));
    assert_eq!(film("L", "8\\8"), Ok(1), "no detector is that large");
}

#[test]
fn one_knee_is_the_centred_square() {
    let knees = wide("L", "").knees();
    assert_eq!(knees.len(), 1);
    assert_eq!(knees[0].side, Side::Left);
    assert_eq!(knees[0].crop.to_vec(), [90, 120, 90, 120]);
}

#[test]
fn what_is_blank_or_a_thumbnail_is_no_knee() {
    let film = |shown: std::ops::Range<u32>, width: u32| {
        let picture = image::GrayImage::from_fn(width, 100, |x, y| {
            image::Luma([if shown.contains(&x) { ((x + y) % 200) as u8 } else { 0 }])
        });
        let film = window8(Film::grey8(width as u16, 100, &picture)).text(film::IMAGE_LATERALITY, "CS", "B");
        let read = decode(&film.file(film::EXPLICIT), &Limits::default()).and_then(|film| film.gradable());
        read.map(|knees| knees.iter().map(|knee| knee.side).collect::<Vec<_>>()).map_err(|refusal| refusal.code())
    };
    assert_eq!(film(0..300, 300), Ok(vec![Side::Right, Side::Left]));
    assert_eq!(film(200..300, 300), Err("blank"), "one half is black");
    assert_eq!(film(0..4, 300), Err("blank"), "what is left of the film lies beside the squares");
    assert_eq!(film(0..300, 100), Err("unsupported"), "50 pixels a knee");
}

#[test]
fn of_both_knees_the_right_one_is_on_the_left() {
    let knees = wide("B", "").knees();
    assert_eq!(knees.len(), 2);
    assert_eq!((knees[0].side, knees[0].crop.to_vec()), (Side::Right, vec![30, 60, 30, 60]));
    assert_eq!((knees[1].side, knees[1].crop.to_vec()), (Side::Left, vec![150, 180, 150, 180]));
}

#[test]
fn a_film_of_both_knees_from_behind_has_the_left_one_on_the_left() {
    let pixels: Vec<u8> = (0..16).map(|i| (i % 8) * 30).collect();
    let film = window8(Film::grey8(8, 2, &pixels)).text(film::IMAGE_LATERALITY, "CS", "B");
    let sides = |orientation| {
        let film = film.clone().text(0x0020_0020, "CS", orientation);
        let knees = decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().knees();
        knees.iter().map(|knee| (knee.side, knee.crop.to_vec()[0])).collect::<Vec<_>>()
    };
    assert_eq!(sides("R\\F"), [(Side::Left, 30), (Side::Right, 150)]);
    assert_eq!(sides("L\\F"), [(Side::Right, 30), (Side::Left, 150)]);
}

#[test]
fn a_name_tells_the_side_only_where_it_is_clear() {
    for (stem, side) in [
        ("9001695L", Side::Left),
        ("9001695R", Side::Right),
        ("knee_R", Side::Right),
        ("case-12-left", Side::Left),
        ("case 12 RIGHT", Side::Right),
        ("knee.l", Side::Left),
        ("L", Side::Left),
        ("12right", Side::Right),
        ("9001_R_L", Side::Unknown),
        ("9001-left-right", Side::Unknown),
        ("left_knee_R", Side::Unknown),
        ("9001_R_vs_L", Side::Unknown),
        ("9001_bilateral_R", Side::Unknown),
        ("right knee R", Side::Right),
        ("skull", Side::Unknown),
        ("other", Side::Unknown),
        ("bright", Side::Unknown),
        ("cleft", Side::Unknown),
        ("9001695", Side::Unknown),
        ("left-9001695", Side::Unknown),
        ("", Side::Unknown),
        ("Ä-R", Side::Right),
        ("ÄR", Side::Unknown),
    ] {
        assert_eq!(side_from_name(stem), side, "{stem:?}");
    }
}
