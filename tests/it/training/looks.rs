//! What networks are judged by is what they grade by.

use super::SMALL;
use super::runs::knees;
use crate::sandbox::{Sandbox, words};
use kellgrend::ensemble::{DeviceChoice, Ensemble, Release, preprocess::Films, settle};
use kellgrend::networks::Form;
use std::collections::HashMap;
use std::path::Path;
use tch::Tensor;

fn table(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

#[track_caller]
fn train(sandbox: &Sandbox, path: &str, name: &str, how: &[&str]) -> Release {
    let output = sandbox.output(&[&["train", path, "--name", name, "--set", "epochs=1"][..], how].concat());
    assert!(output.status.success(), "{}", words(&output));
    Release::named(&sandbox.state().join("models"), name).expect("a release")
}

#[test]
fn a_network_grades_with_the_looks_that_it_was_judged_by() {
    let exact = SMALL.replace("[ensemble]\n", "[ensemble]\nprecision = \"fp32\"\n");
    let sandbox = Sandbox::with(&exact);
    let path = knees(&sandbox);
    let release = train(&sandbox, &path, "closer", &["--set", "zoom=1.25", "--set", "keep=last"]);
    let entry = release.members().next().expect("a member").entry().clone();
    assert_eq!((entry.image_size, entry.zoom), (64, 1.25));
    let card = std::fs::read_to_string(release.folder().join("card.json")).expect("a card");
    assert!(card.contains("\"zoom\": 1.25"), "{card}");

    let run = sandbox.state().join("training/closer");
    let paths: HashMap<_, _> =
        table(&run.join("files.csv")).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let fold = entry.fold.expect("it left one out");
    let left_out: Vec<_> = table(&run.join("knees.csv")).into_iter().filter(|row| row[4] == fold.to_string()).collect();
    let outcome =
        std::fs::read(run.join(format!("fits/shufflenet_v2_x2_0-fold{fold}/outcome.json"))).expect("an outcome");
    let outcome: serde_json::Value = serde_json::from_slice(&outcome).expect("JSON");
    let logits: Vec<[f32; 5]> = serde_json::from_value(outcome["logits"].clone()).expect("five a knee");
    assert_eq!(logits.len(), left_out.len());
    let cpu = settle(DeviceChoice::Cpu, 0).expect("there is a CPU");
    let ensemble = Ensemble::load(&release, &cpu, Form::folded(tch::Kind::Float), 0).expect("it loads");
    let member = &ensemble.members()[0];
    let (mut of_all_looks, mut of_the_first) = (0f64, 0f64);
    for (row, judged) in left_out.iter().zip(logits) {
        let film = image::open(&paths[&row[0]]).expect("a picture").to_luma8();
        let films = Films::upload(&[&film], |bytes| bytes.f_to(tch::Device::Cpu)).expect("memory");
        let of_look = |&look| {
            let logits = member.logits(&films.views(look).expect("views")).expect("logits");
            logits.mean_dim([0i64].as_slice(), false, None)
        };
        let answers: Vec<_> = member.looks().iter().map(of_look).collect();
        let far = |logits: &Tensor| (logits - Tensor::from_slice(&judged)).abs().max().double_value(&[]);
        assert_eq!(answers.len(), 2);
        of_all_looks = of_all_looks.max(far(&((&answers[0] + &answers[1]) / 2.0)));
        of_the_first = of_the_first.max(far(&answers[0]));
    }
    assert!(
        10.0 * of_all_looks < of_the_first,
        "{of_all_looks} from what it was judged by, {of_the_first} with one look"
    );

    // who goes on looks as the release in service does, unless told otherwise
    let output = sandbox.output(&["models", "promote", "closer"]);
    assert!(output.status.success(), "{}", words(&output));
    let on = ["--set", "start=release", "--set", "rate=0"];
    let zoom = |release: Release| release.members().next().expect("a member").entry().zoom;
    assert_eq!(zoom(train(&sandbox, &path, "on", &on)), 1.25);
    assert_eq!(zoom(train(&sandbox, &path, "plain", &[&on[..], &["--set", "zoom=1"]].concat())), 1.0);
}
