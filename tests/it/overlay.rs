#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use image::{GrayImage, Luma, RgbImage};
use kellgrend::radiograph::{Limits, decode};
use kellgrend::{
    grade::{KlGrade, Probabilities},
    outbox::overlay::{Caption, Layer, MapView, Palette, SOFTWARE, bare_map, overlay, png_grey, png_rgb},
    side::Side,
};

const PROBABILITIES: Probabilities = Probabilities([0.02, 0.08, 0.2, 0.65, 0.05]);
/// The first pixels of the two cells, for a knee whose longer side is 512.
const LEFT: (u32, u32) = (28, 82);
const RIGHT: (u32, u32) = (556, 82);

fn caption(side: Side, release: &str) -> Caption<'_> {
    Caption {
        side,
        grade: KlGrade::ALL[3],
        probabilities: &PROBABILITIES,
        agreement: 0.875,
        members: 8,
        missing: 0,
        needs_review: false,
        release,
    }
}

/// A knee of many greys; every pixel tells where it is.
fn knee(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([(x * 7 + y * 13) as u8]))
}

fn draw(knee: &GrayImage, size: u32, values: &[f32], palette: Palette, caption: &Caption<'_>) -> RgbImage {
    overlay(knee, Layer::Map(MapView::new(size, values).unwrap(), palette), caption)
}

/// The pixels of a cell, row by row.
fn cell(picture: &RgbImage, (x, y): (u32, u32), width: u32, height: u32) -> Vec<[u8; 3]> {
    (y..y + height).flat_map(|y| (x..x + width).map(move |x| picture.get_pixel(x, y).0)).collect()
}

#[test]
fn nothing_is_written_on_the_anatomy() {
    let film = knee(512, 512);
    let greys: Vec<[u8; 3]> = film.iter().map(|&grey| [grey; 3]).collect();
    let long = "W".repeat(4000);
    for side in [Side::Left, Side::Right, Side::Unknown] {
        for release in ["r1", "", &long, "line\nbreak \u{1f9b4}"] {
            let picture = draw(&film, 2, &[0.0; 4], Palette::Turbo, &caption(side, release));
            assert_eq!(picture.dimensions(), (1096, 850));
            assert!(cell(&picture, LEFT, 512, 512) == greys, "the radiograph is changed ({side}, {release:.20})");
            assert!(cell(&picture, RIGHT, 512, 512) == greys, "an empty map hides the knee ({side}, {release:.20})");
        }
    }
}

#[test]
fn a_value_hides_the_knee_the_more_the_higher_it_is() {
    let (black, white) = (GrayImage::new(512, 512), GrayImage::from_pixel(512, 512, Luma([255])));
    for palette in [Palette::Turbo, Palette::Jet] {
        // what is left of the contrast between black and white under the map
        let contrast = [0.0f32, 0.1, 0.3, 0.5, 0.7, 1.0].map(|value| {
            let under = |film| cell(&draw(film, 1, &[value], palette, &caption(Side::Left, "r1")), RIGHT, 1, 1)[0][0];
            under(&white) - under(&black)
        });
        assert_eq!(contrast[0], 255);
        assert!(contrast[4].abs_diff(102) <= 1 && contrast[5].abs_diff(102) <= 1, "{palette:?}: {contrast:?}");
        assert!(contrast[..5].is_sorted_by(|a, b| a > b), "{palette:?}: {contrast:?}");
        assert!(contrast[1] > 240, "{palette:?} hides the knee where the networks hardly looked: {contrast:?}");
    }
}

#[test]
fn jet_ends_in_dark_red_at_six_tenths() {
    let black = draw(&GrayImage::new(512, 512), 1, &[1.0], Palette::Jet, &caption(Side::Left, "r1"));
    assert_eq!(cell(&black, RIGHT, 1, 1)[0], [76, 0, 0]); // (0.5, 0, 0) * 255 * 0.6
    let white = GrayImage::from_pixel(512, 512, Luma([255]));
    let white = draw(&white, 1, &[1.0], Palette::Jet, &caption(Side::Left, "r1"));
    assert_eq!(cell(&white, RIGHT, 1, 1)[0], [178, 101, 101]); // and four tenths of white
}

#[test]
fn the_map_spans_the_knee_with_half_pixel_centres() {
    let black = GrayImage::new(512, 256);
    let picture = draw(&black, 2, &[1.0, 0.0, 0.0, 0.0], Palette::Jet, &caption(Side::Left, "r1"));
    let at = |x: u32, y: u32| picture.get_pixel(RIGHT.0 + x, RIGHT.1 + y).0;
    assert_eq!(at(0, 0), [76, 0, 0]);
    assert_eq!(at(127, 63), [76, 0, 0], "up to the first value's centre nothing changes");
    assert_ne!(at(140, 63), [76, 0, 0], "beyond it the next value counts");
    for empty in [(511, 0), (0, 255), (511, 255), (400, 200)] {
        assert_eq!(at(empty.0, empty.1), [0; 3], "at {empty:?}");
    }
}

#[test]
fn any_size_becomes_a_picture_of_sensible_size() {
    for ((width, height), (knee_width, knee_height)) in [
        ((64, 64), (512, 512)),
        ((299, 299), (512, 512)),
        ((600, 300), (600, 300)),
        ((300, 900), (300, 900)),
        ((3000, 1500), (1024, 512)),
        ((3, 3000), (1, 1024)),
        ((1, 1), (512, 512)),
        ((0, 0), (512, 512)),
    ] {
        let picture = draw(&knee(width, height), 1, &[0.5], Palette::Turbo, &caption(Side::Unknown, "r1"));
        let longer = knee_width.max(knee_height);
        let unit = f64::from(longer) / 512.0;
        let expected = (2 * longer + (72.0 * unit) as u32, knee_height + (338.0 * unit) as u32);
        let (wide, high) = picture.dimensions();
        assert!(wide.abs_diff(expected.0) <= 2 && high.abs_diff(expected.1) <= 2, "{width}x{height}: {wide}x{high}");
    }
}

#[test]
fn a_narrow_knee_stands_in_the_middle_of_its_cell() {
    let white = GrayImage::from_pixel(100, 512, Luma([255]));
    let picture = draw(&white, 1, &[0.0], Palette::Turbo, &caption(Side::Left, "r1"));
    let row = cell(&picture, (LEFT.0, 300), 512, 1);
    let lit: Vec<usize> = (0..512).filter(|&x| row[x] == [255; 3]).collect();
    assert_eq!((lit[0], lit.len()), (206, 100));
    assert!(row[..206].iter().chain(&row[306..]).all(|pixel| *pixel == [0; 3]));
}

#[test]
fn numbers_that_are_none_are_drawn_as_nothing() {
    let strange = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -3.0];
    let probabilities = Probabilities([f32::NAN, f32::INFINITY, -1.0, 2.0, f32::NEG_INFINITY]);
    let caption = Caption {
        side: Side::Left,
        grade: KlGrade::ALL[0],
        probabilities: &probabilities,
        agreement: f32::NAN,
        members: 0,
        missing: 0,
        needs_review: false,
        release: "r1",
    };
    let picture = draw(&GrayImage::new(512, 512), 2, &strange, Palette::Jet, &caption);
    assert_eq!(picture.get_pixel(RIGHT.0, RIGHT.1).0, [0; 3], "not a number is no influence");
    assert_eq!(bare_map(MapView::new(2, &strange).unwrap()).into_raw(), [0, 255, 0, 0]);
}

#[test]
fn a_long_release_name_stays_in_its_place() {
    let film = knee(512, 512);
    let short = draw(&film, 1, &[0.5], Palette::Turbo, &caption(Side::Left, "r1"));
    let long = draw(&film, 1, &[0.5], Palette::Turbo, &caption(Side::Left, &"long-name-".repeat(500)));
    let changed: Vec<(u32, u32)> = short
        .enumerate_pixels()
        .filter(|(x, y, pixel)| long.get_pixel(*x, *y) != *pixel)
        .map(|(x, y, _)| (x, y))
        .collect();
    assert!(changed.len() > 500, "the name is not drawn");
    assert!(changed.iter().all(|&(x, y)| x < 900 && y > 800), "the name leaves its line");
    // what warns against diagnosis is amber, at the right end of that line, in both
    let amber =
        |picture: &RgbImage| cell(picture, (900, 805), 168, 40).iter().filter(|p| p[0] > 180 && p[2] < 100).count();
    assert!(amber(&short) > 300);
    assert_eq!(amber(&short), amber(&long));
}

#[test]
fn what_is_said_of_the_knee_is_seen() {
    let film = knee(512, 512);
    let base = caption(Side::Left, "r1");
    let before = draw(&film, 1, &[0.5], Palette::Turbo, &base);
    let other = Probabilities([0.5, 0.1, 0.2, 0.1, 0.1]);
    for (what, changed, rows) in [
        ("side", Caption { side: Side::Right, ..base }, 0..82),
        ("grade", Caption { grade: KlGrade::ALL[4], ..base }, 0..850),
        ("probabilities", Caption { probabilities: &other, ..base }, 650..800),
        ("agreement", Caption { agreement: 0.5, ..base }, 740..800),
        ("members", Caption { members: 16, ..base }, 740..800),
        ("review", Caption { needs_review: true, ..base }, 0..82),
        ("one member", Caption { members: 1, ..base }, 740..800),
        ("missing", Caption { missing: 1, ..base }, 740..800),
    ] {
        let after = draw(&film, 1, &[0.5], Palette::Turbo, &changed);
        let mut where_changed = before
            .enumerate_pixels()
            .filter(|(x, y, pixel)| after.get_pixel(*x, *y) != *pixel)
            .map(|(_, y, _)| y)
            .peekable();
        assert!(where_changed.peek().is_some(), "another {what} draws the same picture");
        assert!(where_changed.all(|y| rows.contains(&y)), "another {what} changes more than its own place");
    }
}

#[test]
fn a_map_that_is_not_square_is_refused() {
    for (size, count) in [(0, 0), (2, 3), (2, 5), (u32::MAX, 1)] {
        let error = MapView::new(size, &vec![0.0; count]).unwrap_err();
        assert_eq!((error.size, error.found), (size, count));
    }
    let told = MapView::new(2, &[0.0; 3]).unwrap_err().to_string();
    assert_eq!(told, "A saliency map of 2x2 needs 4 values, not 3; give all of its rows.");
}

#[test]
fn the_bare_map_is_the_map_in_256_levels() {
    let map = bare_map(MapView::new(2, &[0.0, 0.5, 1.0, 0.25]).unwrap());
    assert_eq!((map.dimensions(), map.into_raw()), ((2, 2), vec![0, 128, 255, 64]));
}

#[test]
fn our_pictures_say_who_made_them_and_lose_nothing() {
    let picture = draw(&knee(299, 299), 1, &[0.6], Palette::Turbo, &caption(Side::Left, "r1"));
    let map = bare_map(MapView::new(2, &[0.0, 0.5, 1.0, 0.25]).unwrap());
    let (colour, grey) = (png_rgb(&picture).unwrap(), png_grey(&map).unwrap());
    assert_eq!(image::load_from_memory(&colour).unwrap().into_rgb8(), picture);
    assert_eq!(image::load_from_memory(&grey).unwrap().into_luma8(), map);
    for bytes in [colour, grey] {
        let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let texts = &reader.info().uncompressed_latin1_text;
        assert!(texts.iter().any(|text| text.keyword == "Software" && text.text == SOFTWARE), "{texts:?}");
        // and so are not graded when they come back
        assert_eq!(decode(&bytes, &Limits::default()).unwrap_err().code(), "own-output");
    }
    assert!(SOFTWARE.starts_with("kellgrend "));
}

#[test]
fn palettes_have_names() {
    assert_eq!(Palette::default(), Palette::Turbo);
    assert_eq!(serde_json::to_value([Palette::Turbo, Palette::Jet]).unwrap(), serde_json::json!(["turbo", "jet"]));
}

/// The paper's picture: the mean of what pytorch-grad-cam's `show_cam_on_image` makes of each member's map
/// (tests/golden/pictures.py).
#[test]
fn the_mean_of_pictures_is_pytorch_grad_cams() {
    #[derive(serde::Deserialize)]
    struct Golden {
        mean_of_pictures: Vec<Vec<[f32; 3]>>,
    }
    let golden: Golden =
        serde_json::from_str(include_str!("../golden/pictures.json")).expect("the golden file is JSON");
    let film = GrayImage::from_fn(512, 512, |x, y| Luma([((x + 2 * y) % 256) as u8]));
    let ramp =
        |value: fn(f32) -> f32| -> Vec<f32> { (0..512 * 512).map(|i| value((i / 512) as f32 / 511.0)).collect() };
    let maps = [ramp(|y| y), ramp(|y| (1.0 - y).powi(2))];
    let maps: Vec<_> = maps.iter().map(|values| MapView::new(512, values).unwrap()).collect();
    let picture = overlay(&film, Layer::Pictures(&maps), &caption(Side::Left, "r1"));
    for (row, colours) in golden.mean_of_pictures.iter().enumerate() {
        for (column, expected) in colours.iter().enumerate() {
            let (x, y) = (RIGHT.0 + 32 + 64 * column as u32, RIGHT.1 + 32 + 64 * row as u32);
            let ours = picture.get_pixel(x, y).0;
            let near = ours.iter().zip(expected).all(|(&a, b)| (f32::from(a) - b).abs() < 6.0);
            assert!(near, "at {column}, {row}: {ours:?}, pytorch-grad-cam says {expected:?}");
        }
    }
}
