//! Releases: what is opened, what is refused, what import writes.

use crate::networks::{formula, golden};
use kellgrend::{
    digest::Digest,
    ensemble::{
        DeviceChoice, Ensemble, Release, VoteRule,
        release::{ImportOptions, ReleaseError, Source, architecture_of, import},
        settle, starter,
    },
    networks::Architecture,
};
use std::{fs, path::Path};
use tempfile::{TempDir, tempdir};

const WEIGHTS: &str = "shufflenet_v2_x2_0.safetensors";

fn starter() -> (TempDir, Release) {
    let models = tempdir().expect("a folder");
    let release = starter::install(models.path()).expect("the starter is sound");
    (models, release)
}

/// Opens the starter with its release.toml changed.
fn changed(from: &str, to: &str) -> Result<Release, String> {
    let (_models, release) = starter();
    let text = release.manifest();
    assert!(text.contains(from), "{from:?} is in the manifest");
    fs::write(release.folder().join("release.toml"), text.replacen(from, to, 1)).expect("written");
    Release::open(release.folder()).map_err(|error| error.to_string())
}

fn formula_source(folder: &Path) -> Source {
    let architecture = Architecture::ShufflenetV2X2_0;
    let path = folder.join("weights.pth");
    fs::write(&path, formula::file(&formula::weights(&golden(architecture).shapes))).expect("written");
    Source { path, architecture, image_size: Some(224), zoom: None, temperature: None }
}

pub fn options(name: &str) -> ImportOptions {
    ImportOptions {
        name: name.to_owned(),
        created: "2026-01-02T03:04:05Z".parse().expect("a time"),
        vote: VoteRule::Soft,
        note: None,
        card: None,
    }
}

#[test]
fn the_starter_is_sound_and_installed_once() {
    let (models, release) = starter();
    release.verify().expect("hash, names, shapes and values are right");
    assert_eq!(release.name(), "starter");
    assert_eq!(release.digest(), Digest::of(release.manifest().as_bytes()));
    assert_eq!(starter::install(models.path()).expect("again").digest(), release.digest());
    let entries: Vec<_> = fs::read_dir(models.path()).expect("a folder").collect();
    assert_eq!(entries.len(), 1, "nothing is left over beside it");
    let card = fs::read_to_string(release.folder().join("MODEL_CARD.md")).expect("a card");
    assert!(card.contains("NOT A MEDICAL DEVICE") && card.contains("10.17632/56rmx5bjcr.1"));
}

#[test]
fn a_changed_weight_is_noticed_at_every_load() {
    let (_models, release) = starter();
    let path = release.folder().join(WEIGHTS);
    let mut bytes = fs::read(&path).expect("weights");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("written");
    let cpu = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    for error in [release.verify().err(), Ensemble::load(&release, &cpu, kellgrend::networks::Form::Plain, 0).err()] {
        let error = error.expect("refused");
        assert!(matches!(error, ReleaseError::Hash { .. }));
        let text = error.to_string();
        assert!(text.contains("starter") && text.contains(WEIGHTS), "{text}");
    }
}

#[test]
fn truncated_or_missing_weights_name_the_file() {
    let (_models, release) = starter();
    let path = release.folder().join(WEIGHTS);
    fs::File::options().write(true).open(&path).and_then(|file| file.set_len(1000)).expect("cut");
    assert!(matches!(release.verify(), Err(ReleaseError::Hash { .. })));
    fs::remove_file(&path).expect("removed");
    let text = release.verify().expect_err("refused").to_string();
    assert!(text.contains("cannot read") && text.contains(WEIGHTS), "{text}");
}

#[test]
fn weights_that_do_not_fit_name_release_file_and_tensor() {
    let (_models, release) = starter();
    let mut named = formula::weights(&golden(Architecture::ShufflenetV2X2_0).shapes);
    named.remove("fc.bias");
    let bytes = formula::file(&named);
    fs::write(release.folder().join(WEIGHTS), &bytes).expect("written");
    let old = release.members().next().expect("a member").entry().sha256.to_string();
    let text = release.manifest().replace(&old, &Digest::of(&bytes).to_string());
    fs::write(release.folder().join("release.toml"), text).expect("written");
    let text = Release::open(release.folder()).and_then(|release| release.verify()).expect_err("refused").to_string();
    assert!(["starter", WEIGHTS, "`fc.bias`"].iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn a_manifest_is_refused_with_its_reason() {
    for (from, to, reason) in [
        (r#"vote = "mix""#, r#"vote = "loud""#, "loud"),
        (r#"vote = "mix""#, "vote = \"mix\"\nquorum = 3", "quorum"),
        (r#"name = "starter""#, r#"name = "../starter""#, "a-z, 0-9"),
        (r#"name = "starter""#, r#"name = ".starter""#, "a-z, 0-9"),
        (r#"name = "starter""#, r#"name = """#, "a-z, 0-9"),
        (r#"file = "shufflenet"#, r#"file = "../shufflenet"#, "a-z, 0-9"),
        (r#"file = "shufflenet"#, r#"file = "/etc/shufflenet"#, "a-z, 0-9"),
        (r#"architecture = "shuffle"#, r#"architecture = "scuffle"#, "shufflenet_v2_x2_0"),
        ("image_size = 512", "image_size = 0", "64 to 2048"),
        ("image_size = 512", "image_size = 100000", "64 to 2048"),
        ("zoom = 1.1", "zoom = 0.9", "1 to 2"),
        ("zoom = 1.1", "zoom = nan", "1 to 2"),
        ("image_size = 512", "image_size = 512\ntemperature = 0", "0.05 to 20"),
        ("image_size = 512", "image_size = 512\ntemperature = -1.5", "0.05 to 20"),
        ("image_size = 512", "image_size = 512\ntemperature = nan", "0.05 to 20"),
        ("image_size = 512", "image_size = 512\ntemperature = inf", "0.05 to 20"),
        ("image_size = 512", "image_size = 512\ntemperature = \"warm\"", "line 9"),
        (r#"sha256 = ""#, r#"sha256 = "0"#, "SHA-256"),
        ("threshold = 0.4", "threshold = 9.4", "threshold"),
        ("threshold = 0.40074316", "threshold = nan", "threshold"),
        ("coverage = 0.8", "coverage = 8.8", "coverage"),
        ("knees = 826", "knees = -826", "line 21"),
    ] {
        let error = changed(from, to).err().unwrap_or_else(|| panic!("{to:?} is refused"));
        assert!(error.contains("release.toml") && error.contains(reason), "{to:?}: {error}");
    }
}

#[test]
fn a_member_may_be_there_once() {
    let (_models, release) = starter();
    let text = release.manifest();
    let (start, end) = (text.find("[[members]]").expect("members"), text.find("[review]").expect("a threshold"));
    let twice = [&text[..end], &text[start..end], &text[end..]].concat();
    fs::write(release.folder().join("release.toml"), twice).expect("written");
    let error = Release::open(release.folder()).expect_err("refused").to_string();
    assert!(error.contains("twice"), "{error}");
}

#[test]
fn import_writes_a_release_that_loads() {
    let models = tempdir().expect("a folder");
    let source = formula_source(models.path());
    let mut options = options("mine-2");
    options.note = Some("By formula.".to_owned());
    let release =
        import(std::slice::from_ref(&source), options.clone(), &models.path().join("models")).expect("imported");
    release.verify().expect("it is sound");
    assert_eq!((release.name(), release.vote()), ("mine-2", VoteRule::Soft));
    assert_eq!(release.members().next().expect("a member").entry().image_size, 224);
    let origin = &release.provenance().sources[0];
    assert_eq!(origin.sha256, Digest::of(&fs::read(&source.path).expect("the source")));
    let card = fs::read_to_string(release.folder().join("MODEL_CARD.md")).expect("a card");
    for part in ["mine-2", "NOT A MEDICAL DEVICE", "By formula.", "weights.pth"] {
        assert!(card.contains(part), "{part:?} is in the card:\n{card}");
    }
}

#[test]
fn import_takes_the_importers_card_word_for_word() {
    let models = tempdir().expect("a folder");
    let mut options = options("mine");
    options.card = Some("# My own words\n".to_owned());
    let release = import(&[formula_source(models.path())], options, models.path()).expect("imported");
    assert_eq!(fs::read_to_string(release.folder().join("MODEL_CARD.md")).expect("a card"), "# My own words\n");
}

#[test]
fn import_never_overwrites() {
    let (models, release) = starter();
    let error = import(&[formula_source(models.path())], options("starter"), models.path()).expect_err("refused");
    assert!(matches!(error, ReleaseError::Exists { .. }), "{error}");
    release.verify().expect("the old one is untouched");
}

#[test]
fn two_networks_of_one_architecture_are_two_members() {
    let folder = tempdir().expect("a folder");
    let source = formula_source(folder.path());
    let release =
        import(&[source.clone(), source], options("twins"), &folder.path().join("models")).expect("a release");
    let names: Vec<_> = release.members().map(|member| member.name().to_owned()).collect();
    assert_eq!(names, ["shufflenet_v2_x2_0", "shufflenet_v2_x2_0_2"]);
    release.verify().expect("sound");
}

/// A release without temperatures is written as it was before there were any, so that its digest stays.
#[test]
fn a_temperature_is_written_where_it_changes_something() {
    let folder = tempdir().expect("a folder");
    let plain = formula_source(folder.path());
    let calibrated = Source { temperature: Some(1.37), ..plain.clone() };
    let models = folder.path().join("models");
    let release = import(&[plain, calibrated], options("warm"), &models).expect("a release");
    assert_eq!(release.manifest().matches("temperature").count(), 1);
    assert!(release.manifest().contains("\ntemperature = 1.37\n"), "{}", release.manifest());
    let temperatures: Vec<_> = release.members().map(|member| member.entry().temperature).collect();
    assert_eq!(temperatures, [1.0, 1.37]);
    let card = fs::read_to_string(release.folder().join("MODEL_CARD.md")).expect("a card");
    for line in ["v2_x2_0 at 224 pixels, temperature 1\n", "v2_x2_0 at 224 pixels, temperature 1.37\n"] {
        assert!(card.contains(line), "{line:?} is in the card:\n{card}");
    }
}

/// The files of torchvision's ImageNet weights, at its addresses; those of networks that are not built in are skipped.
#[test]
fn files_are_recognised_by_the_names_that_torchvision_gives_them() {
    for (file, name) in [
        ("densenet161-8d451a50.pth", "densenet161"),
        ("efficientnet_b5_lukemelas-1a07897c.pth", "efficientnet_b5"),
        ("efficientnet_v2_s-dd5fe13b.pth", "efficientnet_v2_s"),
        ("regnet_y_8gf-dc2b1b54.pth", "regnet_y_8gf"),
        ("resnet101-cd907fc2.pth", "resnet101"),
        ("resnext50_32x4d-1a0047aa.pth", "resnext50_32x4d"),
        ("wide_resnet50_2-9ba9bcbe.pth", "wide_resnet50_2"),
        ("shufflenetv2_x2_0-8be3c8ee.pth", "shufflenet_v2_x2_0"),
        ("shufflenet_v2_x2_0.pt", "shufflenet_v2_x2_0"),
        ("shufflenet_v2_x2_0", "shufflenet_v2_x2_0"),
    ] {
        let Ok(architecture) = name.parse::<Architecture>() else {
            println!("skipped: {name} is not built in");
            continue;
        };
        assert_eq!(architecture_of(file), Some(architecture), "{file}");
    }
    for file in ["", "weights.pt", "my_shufflenet_v2_x2_0.pt", "shufflenet_v2_x1_0.pt", "ShuffleNetV2.pt"] {
        assert_eq!(architecture_of(file), None, "{file}");
    }
}

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let folder = tempdir().expect("a folder");
    let models = folder.path().join("models");
    let sound = formula_source(folder.path());
    let broken = Source { path: folder.path().join("broken.pt"), ..sound.clone() };
    fs::write(&broken.path, b"PK\x03\x04 but no more").expect("written");
    let missing = Source { path: folder.path().join("nowhere.pt"), ..sound.clone() };
    for (sources, name, reason) in [
        (vec![broken], "a", "broken.pt"),
        (vec![missing], "a", "nowhere.pt"),
        (vec![], "a", "members"),
        (vec![sound], "A/../b", "a-z, 0-9"),
    ] {
        let error = import(&sources, options(name), &models).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!models.exists() || fs::read_dir(&models).expect("a folder").next().is_none(), "after {reason}");
    }
}
