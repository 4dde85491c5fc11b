//! What the settings of `[pictures]` change of what is published.

use crate::quorum::{film, two};
use crate::sandbox::{QUICK, Sandbox, names_in};
use crate::schema::misfit;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder in the outbox after grading one film with the release of two networks, and its result.
fn published(sandbox: &Sandbox, pictures: &str) -> (PathBuf, Value) {
    let settings = QUICK.replace("[ensemble]", "[ensemble]\nrelease = \"two\"");
    std::fs::write(sandbox.beside("kellgrend.toml"), format!("{settings}\n[pictures]\n{pictures}\n"))
        .expect("settings");
    let output = sandbox.output(&["grade", &film(sandbox, 1)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = sandbox.results().pop().expect("a result");
    let json = std::fs::read(folder.join("result.json")).expect("a record");
    let record: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(misfit(&record), None, "{record:#}");
    (folder, record["knees"][0]["pictures"].clone())
}

fn names(folder: &Path) -> Vec<String> {
    names_in(folder).iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect()
}

fn grey(path: PathBuf) -> Vec<f32> {
    image::open(path).expect("a picture").into_luma8().into_raw().into_iter().map(f32::from).collect()
}

#[test]
fn members_maps_are_published_where_they_are_asked_for_and_their_mean_is_the_map() {
    let sandbox = two();
    let (folder, pictures) = published(&sandbox, "members = true");
    let members = ["knee-left-map-shufflenet_v2_x2_0.png", "knee-left-map-shufflenet_v2_x2_0_2.png"];
    let told: Vec<_> = pictures["members"].as_array().expect("a list").iter().map(|member| &member["map"]).collect();
    assert_eq!(told, members);
    let all = ["knee-left-map-shufflenet_v2_x2_0.png", "knee-left-map-shufflenet_v2_x2_0_2.png", "knee-left-map.png"];
    assert_eq!(names(&folder), [&all[..], &["knee-left-overlay.png", "result.json"]].concat());
    let [first, second] = members.map(|name| grey(folder.join(name)));
    assert_ne!(first, second);
    let mean = grey(folder.join("knee-left-map.png"));
    let near = |((a, b), mean): ((&f32, &f32), &f32)| ((a + b) / 2.0 - mean).abs() <= 1.0;
    assert!(first.iter().zip(&second).zip(&mean).all(near));
}

#[test]
fn the_papers_picture_is_another_and_the_map_beside_it_the_same_kind() {
    let sandbox = two();
    let (folder, pictures) = published(&sandbox, "mean_of = \"pictures\"");
    assert_eq!(names(&folder), ["knee-left-map.png", "knee-left-overlay.png", "result.json"]);
    assert!(pictures.get("members").is_none(), "{pictures}");
    // half jet, half radiograph everywhere: even where nobody looked the picture is blue, never grey
    let right = |folder: &Path| {
        let overlay = image::open(folder.join("knee-left-overlay.png")).expect("a picture").into_rgb8();
        image::imageops::crop_imm(&overlay, 28 + 512 + 16, 82, 512, 512).to_image()
    };
    let is_grey = |pixel: &&image::Rgb<u8>| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2];
    let papers = right(&folder).pixels().filter(is_grey).count();
    let ours = right(&published(&two(), "").0).pixels().filter(is_grey).count();
    assert!(papers < 512 && ours > 5120, "{papers} and {ours} grey pixels");
}

#[test]
fn a_map_may_be_the_mean_of_both_views() {
    let map = |views: &str| grey(published(&two(), views).0.join("knee-left-map.png"));
    let (upright, both) = (map("views = \"upright\""), map("views = \"both\""));
    assert_eq!(upright, map(""), "upright is the default");
    assert_ne!(upright, both);
}
