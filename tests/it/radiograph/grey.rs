//! The grayscale pipeline, against pydicom 3's `apply_modality_lut` and `apply_voi_lut` and values worked out by hand.

use crate::film::{self, Film, Value};
use kellgrend::radiograph::{Limits, decode};

fn film12(values: &[u16]) -> Film {
    Film::grey(values.len() as u16, 1, values).word(film::STORED, 12).word(film::HIGH_BIT, 11)
}

fn window(film: Film, center: &str, width: &str) -> Film {
    film.text(film::CENTER, "DS", center).text(film::WIDTH, "DS", width)
}

#[track_caller]
fn check(film: &Film, expected: &[u8]) {
    for syntax in [film::IMPLICIT, film::EXPLICIT, film::BIG_ENDIAN] {
        let decoded = decode(&film.file(syntax), &Limits::default()).unwrap();
        assert_eq!(decoded.picture.to_vec(), expected, "{syntax}");
    }
}

const VALUES: [u16; 8] = [0, 1, 100, 1000, 2047, 2048, 3000, 4095];

#[test]
fn windows_agree_with_pydicom() {
    let film = window(film12(&VALUES), "2000", "1500");
    // pydicom: 0, 0, 0, 0, 135.580, 135.751, 255, 255
    check(&film, &[0, 0, 0, 0, 136, 136, 255, 255]);
    // pydicom: 0, 0, 0, 0, 135.490, 135.660, 255, 255
    let exact = film.clone().text(film::FUNCTION, "CS", "LINEAR_EXACT");
    check(&exact, &[0, 0, 0, 0, 135, 136, 255, 255]);
    // pydicom: 1.225, 1.228, 1.597, 16.567, 135.480, 135.649, 238.433, 254.048
    let sigmoid = film.text(film::FUNCTION, "CS", "SIGMOID");
    check(&sigmoid, &[1, 1, 2, 17, 135, 136, 238, 254]);
}

#[test]
fn the_first_of_several_windows_counts_and_rescaling_comes_before_it() {
    let film = window(film12(&VALUES), "976\\10", "3000\\20");
    let film = film.text(film::SLOPE, "DS", "2").text(film::INTERCEPT, "DS", "-1024");
    // pydicom: 0, 0, 0, 127.543, 255, 255, 255, 255
    check(&film, &[0, 0, 0, 128, 255, 255, 255, 255]);
}

#[test]
fn signed_values_are_sign_extended_from_the_bits_stored() {
    let values: Vec<u16> = [-2048i16, -1000, -1, 0, 1, 1000, 2047, 500].map(|v| v as u16 & 0x0FFF).to_vec();
    let film = window(film12(&values), "100", "2500").word(film::SIGNED, 1);
    // pydicom: 0, 15.306, 117.245, 117.347, 117.449, 219.388, 255, 168.367
    check(&film, &[0, 15, 117, 117, 117, 219, 255, 168]);
}

#[test]
fn tables_agree_with_pydicom() {
    let values = [0, 9, 10, 11, 12, 13, 14, 4095];
    let lut = |descriptor: [u16; 3], data: [u16; 4]| {
        let item = Film::default().set(0x0028_3002, "US", Value::Words(descriptor.to_vec()));
        Value::Items(vec![item.set(0x0028_3006, "OW", Value::Words(data.to_vec()))])
    };
    // pydicom: 0, 0, 0, 62.271, 124.542, 255, 255, 255
    let voi = film12(&values).set(film::VOI_LUT, "SQ", lut([4, 10, 12], [0, 1000, 2000, 4095]));
    check(&voi, &[0, 0, 0, 62, 125, 255, 255, 255]);
    // A table comes before a window.
    check(&window(voi, "12", "3"), &[0, 0, 0, 62, 125, 255, 255, 255]);
    // pydicom's modality output 5, 5, 5, 100, 1000, 4000, 4000, 4000; the window takes v to (v - 1999.5) / 3999 + 0.5.
    let modality = window(film12(&values), "2000", "4000");
    let modality = modality.set(film::MODALITY_LUT, "SQ", lut([4, 10, 16], [5, 100, 1000, 4000]));
    check(&modality, &[0, 0, 0, 6, 64, 255, 255, 255]);
}

#[test]
fn a_table_is_read_as_what_it_is_fed_and_holds() {
    let item = |first: u16, data: [u16; 4]| {
        let item = Film::default().set(0x0028_3002, "US", Value::Words(vec![4, first, 12]));
        item.set(0x0028_3006, "OW", Value::Words(data.to_vec()))
    };
    let with = |vr, table| film12(&[0, 1023, 1024, 1025, 1026, 1027]).set(film::VOI_LUT, vr, table);
    // after a rescale to -1024 its first value may be below 0, and the implicit coding does not say so (PS3.3 C.11.2.1.1)
    let low =
        with("SQ", Value::Items(vec![item(-1i16 as u16, [0, 1365, 2730, 4095])])).text(film::INTERCEPT, "DS", "-1024");
    let picture = decode(&low.file(film::IMPLICIT), &Limits::default()).unwrap().picture;
    assert_eq!(picture.to_vec(), [0, 0, 85, 170, 255, 255]);
    // entries of 16 bits that are said to have 12
    let wide = with("SQ", Value::Items(vec![item(1023, [0, 21845, 43690, 65535])]));
    check(&wide, &[0, 0, 85, 170, 255, 255]);
    // entries of 12 bits that are said to have 16
    let said16 = Film::default().set(0x0028_3002, "US", Value::Words(vec![4, 1023, 16]));
    let said16 = said16.set(0x0028_3006, "OW", Value::Words(vec![0, 1365, 2730, 4095]));
    check(&with("SQ", Value::Items(vec![said16])), &[0, 0, 85, 170, 255, 255]);
    // a sequence whose kind the writer did not know is coded implicitly inside (PS3.5 6.2.2, note 2)
    let coded = item(1023, [0, 1365, 2730, 4095]).data_set(false, false);
    let head = [0xFE, 0xFF, 0x00, 0xE0].into_iter().chain((coded.len() as u32).to_le_bytes());
    check(&with("UN", Value::Bytes(head.chain(coded).collect())), &[0, 0, 85, 170, 255, 255]);
}

#[test]
fn without_a_window_lowest_to_highest_but_for_padding() {
    // 100 -> 0, 600 -> 127.5, 1100 -> 255
    check(&film12(&[100, 600, 1100, 1100]), &[0, 128, 255, 255]);
    // 4000 is padding, and so is 0 where it would be white: black, as beside the film
    let padded = film12(&[100, 600, 1100, 4000]).word(film::PADDING, 4000);
    check(&padded, &[0, 128, 255, 0]);
    let inverted = film12(&[100, 600, 1100, 0]).word(film::PADDING, 0).text(film::PHOTOMETRIC, "CS", "MONOCHROME1");
    check(&inverted, &[255, 127, 0, 0]);
    check(&window(inverted, "600", "1001"), &[255, 127, 0, 0]);
    // no pixel of 12 bits can be 65535, and white is white
    let beyond = film12(&[100, 600, 1100, 4095]).word(film::PADDING, 65535);
    check(&window(beyond, "600", "1001"), &[0, 128, 255, 255]);
    // a range of padding, 0 to 50
    let range = film12(&[100, 600, 1100, 20]).word(film::PADDING, 0).word(0x0028_0121, 50);
    check(&range, &[0, 128, 255, 0]);
    // a window without width is none
    check(&window(film12(&[100, 600, 1100, 1100]), "600", "0"), &[0, 128, 255, 255]);
    // nor is one of a center from one window and a width from another
    check(&window(film12(&[100, 600, 1100, 1100]), "\\600", "10\\20"), &[0, 128, 255, 255]);
    check(&window(film12(&[100, 600, 1100, 1100]), "600", "NaN\\20"), &[0, 128, 255, 255]);
    // signed padding in 16 bits: -2000
    let signed = Film::grey(4, 1, &[-2000i16 as u16, -100i16 as u16, 0, 100]).word(film::SIGNED, 1);
    let signed = signed.set(film::PADDING, "SS", Value::Words(vec![-2000i16 as u16]));
    check(&signed, &[0, 0, 128, 255]);
}

#[test]
fn a_stray_pixel_is_not_the_range_of_a_film() {
    let mut values: Vec<u16> = (100..=2100).collect();
    let of =
        |values: &[u16]| decode(&film12(values).file(film::EXPLICIT), &Limits::default()).unwrap().picture.to_vec();
    let clean = of(&values);
    (values[7], values[9]) = (4095, 0);
    let strayed = of(&values);
    assert_eq!((strayed[7], strayed[9]), (255, 0));
    assert!((10..2001).all(|i| clean[i].abs_diff(strayed[i]) <= 1));
}

#[test]
fn what_a_shutter_leaves_is_the_film_unless_it_is_a_mistake() {
    let film = window(film12(&[4095; 16]).word(film::ROWS, 4).word(film::COLUMNS, 4), "2048", "4096");
    let film = film.set(film::PIXELS, "OW", Value::Words((0..16).map(|i| i * 256).collect()));
    let left = |film: Film| {
        let picture = decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().picture;
        (picture.dimensions(), picture.to_vec()[0] / 16)
    };
    let shut = |shape, edges: [&str; 4]| {
        let tags = [0x0018_1602, 0x0018_1604, 0x0018_1606, 0x0018_1608];
        let film = tags.iter().zip(edges).fold(film.clone(), |film, (tag, edge)| film.text(*tag, "IS", edge));
        left(film.text(0x0018_1600, "CS", shape))
    };
    let all = ((4, 4), 0);
    assert_eq!(shut("RECTANGULAR", ["2", "3", "1", "3"]), ((2, 3), 1));
    assert_eq!(shut("RECTANGULAR\\CIRCULAR", ["0", "9", "2", "9"]), ((4, 3), 4));
    assert_eq!(shut("CIRCULAR", ["2", "3", "1", "3"]), all);
    assert_eq!(shut("RECTANGULAR", ["3", "2", "1", "4"]), all);
    assert_eq!(shut("RECTANGULAR", ["9", "12", "1", "4"]), all);
    // what holds a circle or a polygon
    let circle = film.clone().text(0x0018_1600, "CS", "CIRCULAR").text(0x0018_1610, "IS", "3\\2");
    assert_eq!(left(circle.text(0x0018_1612, "IS", "1")), ((3, 3), 4));
    let polygon = film.clone().text(0x0018_1600, "CS", "POLYGONAL");
    assert_eq!(left(polygon.text(0x0018_1620, "IS", "2\\2\\2\\4\\4\\3")), ((3, 3), 5));
}

#[test]
fn a_window_of_other_values_is_not_used() {
    let ramp: Vec<u16> = (0..4096).collect();
    let of = |film: Film| decode(&film.file(film::EXPLICIT), &Limits::default()).unwrap().picture.to_vec();
    let film = film12(&ramp);
    assert_eq!(of(window(film.clone(), "50", "100")), of(film.clone()), "nearly all would be white");
    assert_eq!(of(window(film.clone(), "4090", "10")), of(film.clone()), "nearly all would be black");
    assert_ne!(of(window(film.clone(), "300", "600")), of(film), "a hard film is one");
}

#[test]
fn monochrome1_and_inverse_are_one_inversion() {
    let film = window(film12(&VALUES), "2048", "4096");
    let upright = [0, 0, 6, 62, 127, 128, 187, 255];
    check(&film, &upright);
    let inverted = upright.map(|v| 255 - v);
    let one = film.clone().text(film::PHOTOMETRIC, "CS", "MONOCHROME1");
    check(&one, &inverted);
    // PS3.3 C.8.11.3.1.2: they say the same thing twice, and where they do not, most viewers heed the first
    check(&one.clone().text(film::SHAPE, "CS", "INVERSE"), &inverted);
    check(&one.text(film::SHAPE, "CS", "IDENTITY"), &inverted);
    check(&film.text(film::SHAPE, "CS", "INVERSE"), &upright);
}

#[test]
fn bits_beside_the_stored_ones_are_ignored() {
    let upright = [0, 0, 6, 62, 127, 128, 187, 255];
    // an overlay in the bits above
    let overlay = VALUES.map(|v| v | 0xA000);
    check(&window(film12(&overlay), "2048", "4096"), &upright);
    // stored in the upper 12 of 16 bits, noise below
    let shifted = Film::grey(8, 1, &VALUES.map(|v| v << 4 | 0x5)).word(film::STORED, 12).word(film::HIGH_BIT, 15);
    check(&window(shifted, "2048", "4096"), &upright);
}

#[test]
fn eight_bits_and_fewer() {
    let film = Film::grey8(4, 1, &[0, 64, 128, 255]);
    check(&window(film.clone(), "128", "256"), &[0, 64, 128, 255]);
    let six = Film::grey8(4, 1, &[0, 16, 32, 63]).word(film::STORED, 6).word(film::HIGH_BIT, 5);
    check(&window(six, "32", "64"), &[0, 65, 130, 255]);
    // big endian OW swaps bytes in pairs
    let swapped = window(film, "128", "256").set(film::PIXELS, "OW", Value::Bytes(vec![64, 0, 255, 128]));
    let decoded = decode(&swapped.file(film::BIG_ENDIAN), &Limits::default()).unwrap();
    assert_eq!(decoded.picture.to_vec(), [0, 64, 128, 255]);
}
