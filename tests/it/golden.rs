//! The starter release on thirty radiographs, against what PyTorch, OpenCV and pytorch-grad-cam answered.

use kellgrend::ensemble::{DeviceChoice, Ensemble, Graded, Member, Release, preprocess::Films, settle, starter};
use kellgrend::networks::Form;
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

fn load(form: Form) -> (tempfile::TempDir, Release, Ensemble) {
    let models = tempfile::tempdir().expect("a folder");
    let release = starter::install(models.path()).expect("the starter is sound");
    let device = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    let ensemble = Ensemble::load(&release, &device, form, 0).expect("it loads");
    (models, release, ensemble)
}

fn far(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn logits(member: &Member, picture: &image::GrayImage) -> Vec<f32> {
    let views = Films::upload(&[picture], |bytes| bytes.f_to(tch::Device::Cpu))
        .and_then(|films| films.views(member.image_size()))
        .expect("views");
    Vec::<f32>::try_from(member.logits(&views).expect("logits").view(-1)).expect("ten numbers")
}

#[test]
fn grades_probabilities_logits_and_maps_agree_on_thirty_radiographs() {
    let Ok(text) = std::fs::read_to_string(format!("{GOLDEN}/expected.json")) else {
        return println!("skipped: ../shared/golden/expected.json is missing");
    };
    let expected: Expected = serde_json::from_str(&text).expect("the golden file is JSON");
    assert_eq!(expected.images.len(), 30);
    for form in [Form::Plain, Form::folded(tch::Kind::Float)] {
        let (_models, _, ensemble) = load(form);
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

/// The bundled weights are what importing the published file gives, bit for bit.
#[test]
fn the_starter_is_the_published_file_imported() {
    use kellgrend::ensemble::release::{ImportOptions, Source, import};
    let source = Path::new(GOLDEN).join("shufflenet_v2_x2_0.pt");
    if !source.exists() {
        return println!("skipped: ../shared/golden/shufflenet_v2_x2_0.pt is missing");
    }
    let (models, release, _) = load(Form::Plain);
    let options = ImportOptions {
        name: "again".to_owned(),
        created: release.created(),
        vote: release.vote(),
        metrics: release.metrics().to_vec(),
        note: release.provenance().note.clone(),
        card: None,
    };
    let architecture = release.members().next().expect("a member").entry().architecture;
    let again =
        import(&[Source { path: source, architecture, image_size: None, temperature: None }], options, models.path())
            .expect("imported");
    let hash = |release: &Release| release.members().next().expect("a member").entry().sha256;
    assert_eq!(hash(&again), hash(&release));
    assert_eq!(again.provenance(), release.provenance());
}
