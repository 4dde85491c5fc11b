//! Windows, lines and tables that leave nothing to see, or that are none.

use super::{Files, film8, named};
use crate::film::{self, Film, Value};

pub fn files() -> Files {
    [lines(), tables()].concat()
}

fn lines() -> Files {
    let film = |tag, number: &str| film8().text(tag, "DS", number).file(film::EXPLICIT);
    let window = |center: &str, width: &str| {
        film8().text(film::CENTER, "DS", center).text(film::WIDTH, "DS", width).file(film::EXPLICIT)
    };
    let padding = film8().word(film::PADDING, 0).word(0x0028_0121, 255);
    named([
        ("blank--window-as-wide-as-the-world", window("128", "1e300")),
        ("blank--window-far-from-the-film", window("1e12", "256")),
        ("blank--padding-alone", padding.file(film::EXPLICIT)),
        ("blank--rescale-intercept-of-1e300", film(film::INTERCEPT, "1e300")),
        ("damaged--rescale-slope-of-1e308", film(film::SLOPE, "1e308")),
        ("damaged--rescale-slope-that-is-no-number", film(film::SLOPE, "NaN")),
        ("damaged--rescale-intercept-in-words", film(film::INTERCEPT, "minus ten")),
    ])
}

fn tables() -> Files {
    let film = |sequence, item: Film| film8().set(sequence, "SQ", Value::Items(vec![item])).file(film::EXPLICIT);
    let descriptor = |words: &[u16]| Film::default().set(0x0028_3002, "US", Value::Words(words.to_vec()));
    let lut = |words: &[u16], data: &[u16]| descriptor(words).set(0x0028_3006, "OW", Value::Words(data.to_vec()));
    named([
        ("damaged--lut-of-65536-entries-that-has-two", film(film::VOI_LUT, lut(&[0, 0, 16], &[1, 2]))),
        ("damaged--lut-of-1000-entries-that-has-two", film(film::VOI_LUT, lut(&[1000, 0, 16], &[1, 2]))),
        ("damaged--lut-of-no-bit", film(film::VOI_LUT, lut(&[2, 0, 0], &[1, 2]))),
        ("damaged--lut-of-65535-bits", film(film::MODALITY_LUT, lut(&[2, 0, 65_535], &[1, 2]))),
        ("damaged--lut-with-half-a-descriptor", film(film::VOI_LUT, lut(&[2, 0], &[1, 2]))),
        ("damaged--lut-without-data", film(film::VOI_LUT, descriptor(&[2, 0, 16]))),
        ("damaged--lut-of-nothing", film(film::MODALITY_LUT, Film::default())),
        ("blank--lut-of-one-grey", film(film::VOI_LUT, lut(&[4, 0, 16], &[7; 4]))),
    ])
}
