//! Files as torchvision publishes them (tests/fixtures/imagenet/make.py): 1000 classes, whose head is replaced.

use flate2::read::GzDecoder;
use kellgrend::networks::{Architecture, Form, weights::Weights};
use std::{collections::BTreeMap, io::Read as _, path::Path};
use tch::{Kind, Tensor};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/imagenet");

/// The file that torch.save wrote, unpacked twice.
fn file(architecture: Architecture) -> Vec<u8> {
    let packed = std::fs::File::open(Path::new(FOLDER).join(format!("{architecture}.pth.gz"))).expect("a fixture");
    let mut bytes = Vec::new();
    GzDecoder::new(GzDecoder::new(packed)).read_to_end(&mut bytes).expect("it unpacks");
    bytes
}

#[test]
fn every_published_file_builds_its_network_with_a_new_head() {
    let maps = std::fs::read_to_string(Path::new(FOLDER).join("maps.json")).expect("the golden file");
    let maps: BTreeMap<String, f64> = serde_json::from_str(&maps).expect("the golden file is JSON");
    let views = Tensor::full([1, 3, 64, 64], 0.5, (Kind::Float, tch::Device::Cpu));
    for architecture in Architecture::ALL {
        let mut weights = Weights::from_bytes(file(architecture)).expect("torch.save wrote it");
        let network = architecture.build_from_imagenet(&mut weights, Form::Plain).expect("it builds");
        let map = network.map(&views).expect("the network runs");
        let (ours, theirs) = (map.mean(Kind::Double).double_value(&[]), maps[architecture.name()]);
        assert!((ours - theirs).abs() <= 1e-4 * theirs.abs(), "{architecture}: {ours}, torchvision says {theirs}");
        let logits = network.logits(&map).expect("the head runs");
        assert_eq!(logits.size(), [1, 5], "{architecture}");
        assert!(logits.std(false).double_value(&[]) > 0.0, "{architecture}: the new head's rows differ");
    }
}

#[test]
fn a_published_file_is_no_grader() {
    let mut weights = Weights::from_bytes(file(Architecture::ShufflenetV2X2_0)).expect("torch.save wrote it");
    let error = Architecture::ShufflenetV2X2_0.build(&mut weights, Form::Plain).err().expect("refused").to_string();
    assert!(error.contains("`fc.weight`") && error.contains("[1000, 2048]"), "{error}");
}

#[test]
fn densenets_old_and_new_names_are_one_tensor_each() {
    let old = Weights::from_bytes(file(Architecture::Densenet161)).expect("torch.save wrote it");
    let name = "features.denseblock2.denselayer7.norm.1.running_mean";
    assert!(old.names().any(|(known, _)| known == name), "the fixture has the published file's names");
    let mut weights = old;
    Architecture::Densenet161.build_from_imagenet(&mut weights, Form::Plain).expect("it builds");
    assert!(weights.names().any(|(known, _)| known == "features.denseblock2.denselayer7.norm1.running_mean"));
}
