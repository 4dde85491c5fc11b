//! Several members together.

use super::releases;
use crate::networks::{formula, golden};
use image::{GrayImage, Luma};
use kellgrend::{
    digest::Digest,
    ensemble::{
        DeviceChoice, Ensemble, GradeError, Release,
        preprocess::Films,
        release::{Source, import},
        settle, starter,
    },
    grade::Probabilities,
    networks::{Architecture, Form},
};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

fn load(release: &Release) -> Ensemble {
    let cpu = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    Ensemble::load(release, &cpu, Form::folded(tch::Kind::Float), 0).expect("it loads")
}

/// A picture with structure at several scales, another for every seed.
fn picture(seed: u32, width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([((x * (seed + 3) / 7) ^ (y * 5 / (seed + 2))) as u8]))
}

/// A release of the starter's network at two image sizes.
fn two_members() -> (TempDir, Release) {
    starters(&[("at512", "image_size = 512"), ("at320", "image_size = 320")])
}

/// A release of the starter's network under several names, with these lines for each.
fn starters(of: &[(&str, &str)]) -> (TempDir, Release) {
    let models = tempdir().expect("a folder");
    let one = starter::install(models.path()).expect("the starter is sound");
    let folder = models.path().join("two");
    fs::create_dir(&folder).expect("a folder");
    let weights = fs::read(one.folder().join("shufflenet_v2_x2_0.safetensors")).expect("weights");
    let mut text = "name = \"two\"\ncreated = \"2026-01-02T03:04:05Z\"\nvote = \"mix\"\n".to_owned();
    for (name, lines) in of {
        fs::write(folder.join(format!("{name}.safetensors")), &weights).expect("written");
        text += &format!(
            "[[members]]\nname = \"{name}\"\narchitecture = \"shufflenet_v2_x2_0\"\n{lines}\n\
             file = \"{name}.safetensors\"\nsha256 = \"{}\"\n",
            Digest::of(&weights)
        );
    }
    text += "[provenance]\nprogram = \"a test\"\n";
    fs::write(folder.join("release.toml"), text).expect("written");
    let release = Release::open(&folder).expect("it is valid");
    (models, release)
}

#[test]
fn two_members_vote_and_their_means_are_the_answer() {
    let (_models, release) = two_members();
    let knee = picture(1, 299, 310);
    let graded = load(&release).grade(&[&knee]).expect("a grade").remove(0);
    let names: Vec<_> = graded.votes.iter().map(|vote| vote.member.as_str()).collect();
    assert_eq!(names, ["at512", "at320"]);
    assert_ne!(graded.votes[0].probabilities, graded.votes[1].probabilities);
    assert_eq!(graded.probabilities, Probabilities::mean(graded.votes.iter().map(|vote| &vote.probabilities)));
    let agreeing = graded.votes.iter().filter(|vote| vote.grade == graded.grade).count();
    assert_eq!(graded.agreement, agreeing as f32 / 2.0);
    assert_eq!(graded.entropy, graded.probabilities.entropy());
    assert_eq!(graded.missing, [] as [String; 0]);
    let map = graded.map.expect("maps are on");
    assert_eq!((map.size, map.values.len()), (512, 512 * 512));
    assert!(map.values.iter().all(|value| (0.0..=1.0).contains(value)));
}

/// softmax(logits / T) is softmax(logits) to the power 1 / T, scaled to sum to one.
#[test]
fn a_members_temperature_divides_its_logits() {
    let one = ("one", "image_size = 320");
    let two = ("two", "image_size = 320\ntemperature = 2");
    let half = ("half", "image_size = 320\ntemperature = 0.5");
    let (_models, release) = starters(&[one, two, half]);
    let temperatures: Vec<_> = release.members().map(|member| member.entry().temperature).collect();
    assert_eq!(temperatures, [1.0, 2.0, 0.5]);
    let votes = load(&release).grade(&[&picture(1, 299, 310)]).expect("a grade").remove(0).votes;
    let at_one = votes[0].probabilities.0;
    for (vote, temperature) in votes.iter().zip(temperatures) {
        let powers = at_one.map(|p| f64::from(p).powf(1.0 / temperature));
        let sum: f64 = powers.iter().sum();
        for (ours, power) in vote.probabilities.0.iter().zip(powers) {
            assert!((f64::from(*ours) - power / sum).abs() < 1e-5, "{vote:?} at {temperature}");
        }
        assert_eq!(vote.grade, votes[0].grade, "the order of grades stays");
    }
    let entropies: Vec<_> = votes.iter().map(|vote| vote.probabilities.entropy()).collect();
    assert!(entropies[2] < entropies[0] && entropies[0] < entropies[1], "{entropies:?}");
}

/// It looks at the whole knee and at its middle; the map is of the whole knee.
#[test]
fn a_member_with_a_zoom_answers_with_the_mean_of_its_looks() {
    let (_models, release) = starters(&[("plain", "image_size = 192"), ("closer", "image_size = 192\nzoom = 1.25")]);
    let ensemble = load(&release).with_member_maps(true);
    let knee = picture(1, 299, 310);
    let graded = ensemble.grade(&[&knee]).expect("a grade").remove(0);
    let member = &ensemble.members()[1];
    let films = Films::upload(&[&knee], |bytes| bytes.f_to(tch::Device::Cpu)).expect("memory");
    let views: Vec<_> = member.looks().iter().map(|&look| films.views(look).expect("views")).collect();
    assert_eq!((views.len(), views[1].size()), (2, vec![2, 3, 192, 192]));
    let logits = member.logits(&tch::Tensor::cat(&views, 0)).expect("logits").mean_dim([0i64].as_slice(), false, None);
    let expected =
        Probabilities::softmax(<[f32; 5]>::try_from(Vec::<f32>::try_from(logits).expect("five")).expect("five"), 1.0);
    for (ours, expected) in graded.votes[1].probabilities.0.iter().zip(expected.0) {
        assert!((ours - expected).abs() < 1e-5, "{:?}", graded.votes[1]);
    }
    assert_ne!(graded.votes[1].probabilities, graded.votes[0].probabilities);
    assert_eq!(graded.member_maps[1], graded.member_maps[0], "the same knee, the same grade");
    let mirrored = ensemble.grade(&[&image::imageops::flip_horizontal(&knee)]).expect("a grade").remove(0);
    for (ours, mirrored) in graded.votes[1].probabilities.0.iter().zip(mirrored.votes[1].probabilities.0) {
        assert!((ours - mirrored).abs() < 1e-4, "a mirrored knee is as ill");
    }
}

/// Without the damaged one the others answer as they would alone, in the release's order, and say who is missing.
#[test]
fn a_quorum_grades_without_those_that_cannot_be_loaded() {
    let of = |name| (name, "image_size = 224");
    let (_models, release) = starters(&[of("a"), of("b"), of("c")]);
    let cpu = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    let spoil = |name: &str| fs::write(release.folder().join(format!("{name}.safetensors")), b"no weights");
    spoil("b").expect("written");
    let damaged = Ensemble::load(&release, &cpu, Form::Plain, 0).err().expect("every member is wanted").to_string();
    assert!(damaged.contains("b.safetensors"), "{damaged}");
    let quorum = Ensemble::load(&release, &cpu, Form::Plain, 2).expect("two are enough");
    let names: Vec<_> = quorum.members().iter().map(|member| member.name()).collect();
    assert_eq!(names, ["a", "c"]);
    assert!(quorum.absent()[0].reason.to_string().contains("b.safetensors"));
    let graded = quorum.grade(&[&picture(1, 200, 200)]).expect("a grade").remove(0);
    assert_eq!((graded.votes.len(), graded.agreement), (2, 1.0), "the share of those that voted");
    assert_eq!(graded.missing, ["b"]);

    fs::remove_file(release.folder().join("c.safetensors")).expect("removed");
    let error = Ensemble::load(&release, &cpu, Form::Plain, 2).err().expect("one is not enough").to_string();
    let parts = ["release two: 1 of its 3 members", "quorum is 2", "b: ", "b.safetensors", "c: ", "c.safetensors"];
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    spoil("a").expect("written");
    assert!(Ensemble::load(&release, &cpu, Form::Plain, 1).is_err(), "nobody is left to vote");
}

#[test]
fn a_release_smaller_than_the_quorum_needs_all_it_has() {
    let (_models, release) = starters(&[("a", "image_size = 224"), ("b", "image_size = 224")]);
    let cpu = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    assert_eq!(Ensemble::load(&release, &cpu, Form::Plain, 6).expect("both are there").absent().len(), 0);
    fs::remove_file(release.folder().join("a.safetensors")).expect("removed");
    let error = Ensemble::load(&release, &cpu, Form::Plain, 6).err().expect("refused").to_string();
    assert!(error.contains("1 of its 2 members") && error.contains("quorum is 2"), "{error}");
}

/// How knees are batched is nobody's business: the same picture gets the same answer in any company.
#[test]
fn company_changes_nothing() {
    let models = tempdir().expect("a folder");
    let ensemble = load(&starter::install(models.path()).expect("the starter is sound"));
    let knees: Vec<_> = (0..5).map(|seed| picture(seed, 200 + 40 * seed, 300)).collect();
    let together = ensemble.grade(&knees.iter().collect::<Vec<_>>()).expect("grades");
    for (knee, together) in knees.iter().zip(&together) {
        let alone = ensemble.grade(&[knee]).expect("a grade").remove(0);
        assert_eq!(alone.grade, together.grade);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
        assert!(alone.probabilities.0.iter().zip(&together.probabilities.0).all(near));
        let maps = [&alone, together].map(|graded| graded.map.as_ref().expect("maps are on"));
        assert!(maps[0].values.iter().zip(&maps[1].values).all(|(a, b)| (a - b).abs() < 1e-3));
    }
}

/// Knees of one size are resized together, others apart; begun, and finished when the next ones have begun, is graded.
#[test]
fn overlapping_changes_nothing() {
    let (_models, release) = two_members();
    let ensemble = load(&release);
    ensemble.set_batch(4);
    let sizes = [(200, 300), (200, 300), (310, 240), (200, 300)];
    let knees: Vec<_> = (0..).zip(sizes).map(|(seed, (width, height))| picture(seed, width, height)).collect();
    let knees: Vec<_> = knees.iter().collect();
    let expected: Vec<_> = knees.iter().map(|knee| ensemble.grade(&[knee]).expect("a grade").remove(0)).collect();

    let begun = ensemble.begin(&knees[..3]).expect("begun");
    let (first, next) = ensemble.go_on(begun, &knees[3..]);
    let mut found = first.expect("grades");
    assert_eq!(found.len(), 3);
    let (second, nothing) = ensemble.go_on(next.expect("begun"), &[&GrayImage::new(0, 5)]);
    found.extend(second.expect("what is wrong with the next ones is theirs"));
    assert!(matches!(nothing, Err(GradeError::NoPixels { width: 0, height: 5 })));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.grade, expected.grade);
        for (found, expected) in found.votes.iter().zip(&expected.votes) {
            let pairs = found.probabilities.0.iter().zip(&expected.probabilities.0);
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}, alone {expected:?}");
        }
        let maps = [found, expected].map(|graded| graded.map.as_ref().expect("maps are on"));
        assert!(maps[0].values.iter().zip(&maps[1].values).all(|(a, b)| (a - b).abs() < 1e-3));
    }
}

/// A mirror image has the mirrored map, so that the mean of both views' maps is the same for the two, mirrored.
#[test]
fn the_mean_of_both_views_maps_turns_with_the_knee() {
    let (_models, release) = two_members();
    let ensemble = load(&release).with_flipped_maps(true);
    let knee = picture(4, 320, 320);
    let map = |knee: &GrayImage| ensemble.grade(&[knee]).expect("a grade").remove(0).map.expect("maps are on");
    let (map, mirrored) = (map(&knee), map(&image::imageops::flip_horizontal(&knee)));
    let rows = map.values.chunks(512).zip(mirrored.values.chunks(512));
    let near = |(a, b): (&[f32], &[f32])| a.iter().zip(b.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-2);
    assert!(rows.into_iter().all(near));
    let upright = load(&release).grade(&[&knee]).expect("a grade").remove(0).map.expect("maps are on");
    assert!(map.values.iter().zip(&upright.values).any(|(a, b)| (a - b).abs() > 1e-2), "one view's map is another");
}

#[test]
fn maps_can_be_off() {
    let models = tempdir().expect("a folder");
    let ensemble = load(&starter::install(models.path()).expect("the starter is sound")).with_maps(false);
    assert_eq!(ensemble.grade(&[&picture(0, 300, 300)]).expect("a grade")[0].map, None);
    assert_eq!(ensemble.grade(&[]).expect("nothing to do"), []);
}

#[test]
fn black_white_and_tiny_pictures_get_finite_answers() {
    let models = tempdir().expect("a folder");
    let ensemble = load(&starter::install(models.path()).expect("the starter is sound"));
    for knee in [
        GrayImage::new(300, 300),
        GrayImage::from_pixel(300, 300, Luma([255])),
        GrayImage::new(1, 1),
        picture(2, 2000, 3),
    ] {
        let graded = ensemble.grade(&[&knee]).expect("a grade").remove(0);
        assert!((graded.probabilities.0.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(graded.map.expect("maps are on").values.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}

#[test]
fn a_picture_without_pixels_is_refused() {
    let models = tempdir().expect("a folder");
    let ensemble = load(&starter::install(models.path()).expect("the starter is sound"));
    let error = ensemble.grade(&[&GrayImage::new(0, 7)]).expect_err("refused");
    assert!(matches!(error, GradeError::NoPixels { width: 0, height: 7 }), "{error}");
}

/// Writes weights that answer nothing finite, whatever they see.
pub fn huge(folder: &Path) -> PathBuf {
    let mut named = formula::weights(&golden(Architecture::ShufflenetV2X2_0).shapes);
    let (_, last) = named.get_mut("fc.weight").expect("it is there");
    last.iter_mut().for_each(|weight| *weight = 3e38f32.copysign(*weight));
    let path = folder.join("huge.safetensors");
    fs::write(&path, formula::file(&named)).expect("written");
    path
}

/// Finite weights whose logits overflow: an error with the member's name, never a grade.
#[test]
fn logits_that_are_not_finite_are_an_error() {
    let models = tempdir().expect("a folder");
    let (path, architecture) = (huge(models.path()), Architecture::ShufflenetV2X2_0);
    let source = Source { path, architecture, image_size: Some(224), zoom: None, temperature: None };
    let release = import(&[source], releases::options("huge"), models.path()).expect("float32 holds them");
    let error = load(&release).grade(&[&picture(1, 300, 300)]).expect_err("refused");
    assert!(matches!(&error, GradeError::NotFinite { member } if member == "shufflenet_v2_x2_0"), "{error}");
}

/// The daemon loads it in one thread and hands it to the one that owns the device.
#[test]
fn an_ensemble_may_move_to_the_thread_that_owns_the_device() {
    let models = tempdir().expect("a folder");
    let ensemble = load(&starter::install(models.path()).expect("the starter is sound")).with_maps(false);
    let knee = picture(1, 300, 300);
    let here = ensemble.grade(&[&knee]).expect("a grade");
    let there = std::thread::spawn(move || ensemble.grade(&[&knee])).join().expect("no panic").expect("a grade");
    assert_eq!(here, there);
}
