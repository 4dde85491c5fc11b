//! A published network, imported, on thirty radiographs: against what PyTorch, OpenCV and pytorch-grad-cam answered.

use crate::sandbox::shared;
use kellgrend::ensemble::release::{ImportOptions, Source, import};
use kellgrend::ensemble::{DeviceChoice, Ensemble, Graded, Member, Release, VoteRule, preprocess::Films, settle};
use kellgrend::networks::{Architecture, Form};
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/golden");

#[derive(serde::Deserialize)]
struct Expected {
    images: Vec<Image>,
}

#[derive(serde::Deserialize)]
struct Image {
    file: String,
    logits: Vec<f32>,
    logits_flipped: Vec<f32>,
    probabilities: Vec<f32>,
    grade: u8,
    cam_8x8: Vec<Vec<f32>>,
}

/// The network that the answers are of, as a release; none where it is not there.
fn imported() -> Option<(tempfile::TempDir, Release)> {
    let path = shared("golden/shufflenet_v2_x2_0.pt")?;
    let models = tempfile::tempdir().expect("a folder");
    let source =
        Source { path, architecture: Architecture::ShufflenetV2X2_0, image_size: None, zoom: None, temperature: None };
    let options = ImportOptions {
        name: "golden".to_owned(),
        created: jiff::Timestamp::UNIX_EPOCH,
        vote: VoteRule::Mix,
        note: None,
        card: None,
    };
    let release = import(&[source], options, models.path()).expect("imported");
    Some((models, release))
}

fn far(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn logits(member: &Member, picture: &image::GrayImage) -> Vec<f32> {
    let views = Films::upload(&[picture], |bytes| bytes.f_to(tch::Device::Cpu))
        .and_then(|films| films.views(member.looks()[0]))
        .expect("views");
    Vec::<f32>::try_from(member.logits(&views).expect("logits").view(-1)).expect("ten numbers")
}

#[test]
fn grades_probabilities_logits_and_maps_agree_on_thirty_radiographs() {
    let Some((_models, release)) = imported() else { return };
    let text = std::fs::read_to_string(format!("{GOLDEN}/expected.json")).expect("it lies beside the network");
    let expected: Expected = serde_json::from_str(&text).expect("the golden file is JSON");
    assert_eq!(expected.images.len(), 30);
    for form in [Form::Plain, Form::folded(tch::Kind::Float)] {
        let device = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
        let ensemble = Ensemble::load(&release, &device, form, 0).expect("it loads");
        agree(&ensemble, &expected);
    }
}

fn agree(ensemble: &Ensemble, expected: &Expected) {
    let read = |image: &Image| {
        let path = Path::new(GOLDEN).join("radiographs").join(&image.file);
        image::open(path).expect("a radiograph").into_luma8()
    };
    let pictures: Vec<_> = expected.images.iter().map(read).collect();
    let graded = ensemble.grade(&pictures.iter().collect::<Vec<_>>()).expect("all have grades");
    let mut worst = [0f32; 3];
    for ((image, picture), graded) in expected.images.iter().zip(&pictures).zip(&graded) {
        assert_eq!(u8::from(graded.grade), image.grade, "{}", image.file);
        assert_eq!(graded.agreement, 1.0);
        let both = [image.logits.clone(), image.logits_flipped.clone()].concat();
        let differences = [
            far(&graded.probabilities.0, &image.probabilities),
            far(&logits(&ensemble.members()[0], picture), &both),
            far(&every_64th(graded), &image.cam_8x8.concat()),
        ];
        assert!(differences[0] < 2e-3, "{}: probabilities differ by {}", image.file, differences[0]);
        assert!(differences[1] < 1e-2, "{}: logits differ by {}", image.file, differences[1]);
        assert!(differences[2] < 2e-2, "{}: Grad-CAM differs by {}", image.file, differences[2]);
        worst.iter_mut().zip(differences).for_each(|(worst, new)| *worst = worst.max(new));
    }
    println!("largest differences: probabilities {}, logits {}, Grad-CAM {}", worst[0], worst[1], worst[2]);
}

/// `map[32::64, 32::64]`
fn every_64th(graded: &Graded) -> Vec<f32> {
    let map = graded.map.as_ref().expect("maps are on");
    assert_eq!((map.size, map.values.len()), (512, 512 * 512));
    let row = |y: usize| (32..512).step_by(64).map(move |x| map.values[y * 512 + x]);
    (32..512).step_by(64).flat_map(row).collect()
}

/// What was imported is what was published, bit for bit: this is the digest of the weights as this program writes them.
#[test]
fn a_published_file_is_imported_as_it_is() {
    let Some((_models, release)) = imported() else { return };
    let member = release.members().next().expect("a member");
    assert_eq!(member.entry().sha256.to_string(), "39af2f45bb3dfe706685990c340a39c157cca78abace4825ec21171ed70161ed");
    let sources = &release.provenance().sources;
    assert_eq!(sources[0].sha256.to_string(), "1b4738a6963ab38179fc8a1de5e97fa4c64ea50271864d0a767c516c6dcf5e64");
}
