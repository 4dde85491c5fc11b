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
