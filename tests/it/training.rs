//! Training: folds, fits, runs, the choice, the gate.

mod choice;
mod fit;
mod folds;
mod gate;
mod lineage;
mod looks;
mod loss;
pub mod runs;
mod set;

use image::{GrayImage, imageops};
use kellgrend::phantom;
use kellgrend::side::Side;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

/// Settings for networks of a size that a test can wait for; one thread each, since tests share few cores.
pub const SMALL: &str = r#"
[settle]
quiet = "200ms"
scan_every = "300ms"
[ensemble]
device = "cpu"
threads = 1
[log]
level = "debug"
[training]
folds = 2
networks = ["shufflenet_v2_x2_0"]
gold_share = 0.0
[training.adjust]
start = "scratch"
image_size = 64
epochs = 3
batch = 8
warm_up = 0
average = 0.0
augmentation = { rotation = 0, shift = 0, scale = 0, brightness = 0, contrast = 0, erase = 0 }
"#;

/// A phantom knee of 96 pixels as severe as a grade, and the whiter for it: networks that see sixty knees learn no more. It takes long
/// to draw, and many tests want the same ones.
pub fn knee(number: u64, grade: u8) -> GrayImage {
    static DRAWN: LazyLock<Mutex<HashMap<(u64, u8), GrayImage>>> = LazyLock::new(Mutex::default);
    let known = DRAWN.lock().expect("no holder panics").get(&(number, grade)).cloned();
    known.unwrap_or_else(|| {
        let knee = drawn(number, grade);
        DRAWN.lock().expect("no holder panics").insert((number, grade), knee.clone());
        knee
    })
}

fn drawn(number: u64, grade: u8) -> GrayImage {
    let picture = phantom::grey8(&phantom::knee(number, Side::Left, f32::from(grade) / 4.0));
    let mut small = imageops::thumbnail(&picture, 96, 96);
    small.pixels_mut().for_each(|grey| grey.0[0] = (u16::from(grey.0[0]) * (2 + u16::from(grade)) / 6) as u8);
    small
}

/// Folders named 0 to 4 with so many knees each, of as many patients.
pub fn labelled(folder: &Path, knees: u64) {
    for grade in 0..5u8 {
        let of_grade = folder.join(grade.to_string());
        std::fs::create_dir_all(&of_grade).expect("made");
        for number in 0..knees {
            let number = u64::from(grade) * 1000 + number;
            knee(number, grade).save(of_grade.join(format!("{number}L.png"))).expect("written");
        }
    }
}
