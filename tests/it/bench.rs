//! `kellgrend bench`: what it says, not how fast this machine is.

use crate::sandbox::{Sandbox, names_in, words};
use serde_json::Value;
use std::process::Output;

const QUICK: [&str; 5] = ["bench", "--networks", "shufflenet_v2_x2_0", "--seconds", "0.2"];

/// One thread each: several that wait for each other on few cores are slower than one.
fn sandbox() -> Sandbox {
    Sandbox::with("[ensemble]\ndevice = \"cpu\"\nthreads = 1\n")
}

fn bench(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.output(&[&QUICK[..], args].concat())
}

#[track_caller]
fn positive(value: &Value) -> f64 {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!(number > 0.0 && number.is_finite(), "{number}");
    number
}

#[track_caller]
fn rates(rates: &Value, batches: &[u64]) {
    let best = positive(&rates["views_per_second"]);
    let all = rates["batches"].as_array().expect("batches");
    assert_eq!(all.iter().map(|one| one["batch"].as_u64().expect("a batch")).collect::<Vec<_>>(), batches);
    assert!(all.iter().all(|one| positive(&one["views_per_second"]) <= best), "{rates}");
    assert!(batches.contains(&rates["best_batch"].as_u64().expect("a batch")), "{rates}");
}

#[test]
fn json_has_every_figure() {
    let sandbox = sandbox();
    let output = bench(&sandbox, &["--batch", "1,2", "--json"]);
    assert!(output.status.success(), "{}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["schema_version"], 1);
    for name in ["host", "cpu", "device", "kellgrend", "libtorch"] {
        assert!(report["machine"][name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {report:#}");
    }
    positive(&report["machine"]["cores"]);
    assert!(["fp32", "bf16"].contains(&report["precision"].as_str().expect("a word")));
    assert_eq!((&report["streams"], &report["capture"]), (&1.into(), &0.into()));
    assert!(report["release"].is_null());
    assert_eq!(report["seconds"], 0.2);

    let networks = report["networks"].as_array().expect("networks");
    assert_eq!(networks.len(), 1);
    assert_eq!((&networks[0]["name"], &networks[0]["image_size"]), (&"shufflenet_v2_x2_0".into(), &512.into()));
    rates(&networks[0], &[1, 2]);
    // 5.4 million numbers, of two or of four bytes
    let bytes = positive(&networks[0]["weights_bytes"]);
    assert!((1.0e7..2.3e7).contains(&bytes), "{bytes}");

    let ensemble = &report["ensemble"];
    rates(&ensemble["with_maps"], &[1, 2]);
    rates(&ensemble["without_maps"], &[1, 2]);
    let alone = positive(&networks[0]["views_per_second"]);
    assert!((positive(&ensemble["views_per_second"]) - alone).abs() < 1e-6 * alone, "one network is its own ensemble");

    let latency = &report["latency"];
    assert!(latency["repeats"].as_u64().is_some_and(|repeats| repeats >= 3));
    for part in ["bytes_to_result", "decode", "networks", "drawing"] {
        assert!(positive(&latency[part]["median_ms"]) <= positive(&latency[part]["p95_ms"]), "{part}: {latency}");
        assert!(latency[part]["median_ms"].as_f64() <= latency["bytes_to_result"]["p95_ms"].as_f64(), "{part}");
    }
    let decode = report["decode"].as_array().expect("codings");
    let codings: Vec<_> = decode.iter().map(|one| one["coding"].as_str().expect("a name")).collect();
    for wanted in ["explicit", "implicit", "RLE", "JPEG-LS", "PNG", "TIFF", "JPEG 8"] {
        assert!(codings.iter().any(|coding| coding.contains(wanted)), "{wanted}: {codings:?}");
    }
    for one in decode {
        for name in ["file_bytes", "radiographs_per_second", "megapixels_per_second"] {
            positive(&one[name]);
        }
    }
    positive(&report["memory"]["peak_resident_bytes"]);
    assert!(report["memory"]["device"].is_null(), "a CPU has no memory of its own");
    assert!(names_in(&sandbox.state().join("inbox")).is_empty());
    assert_eq!(names_in(&sandbox.state()), [sandbox.inbox()], "nothing is written");
}

#[test]
fn the_table_has_its_headings() {
    let sandbox = sandbox();
    let output = bench(&sandbox, &["--precision", "reference"]);
    let text = words(&output);
    assert!(output.status.success(), "{text}");
    for heading in
        ["machine", "precision reference", "untrained", "NETWORK", "VIEWS/S", "ONE KNEE", "MEDIAN MS", "MPIXELS/S"]
    {
        assert!(text.contains(heading), "{heading} is missing:\n{text}");
    }
    let lines = text
        .lines()
        .filter(|line| ["shufflenet_v2_x2_0 ", "one after another ", "graded, "].iter().any(|n| line.starts_with(n)));
    assert_eq!(lines.count(), 4, "{text}");
    assert!(text.contains("memory") && !text.contains("on device"), "{text}");
}

#[test]
fn wrong_words_are_told_before_anything_is_measured() {
    let sandbox = sandbox();
    for (args, wanted) in [
        (&["--networks", "resnet50"][..], "densenet161, efficientnet_b5"),
        (&["--networks", "resnet101", "--release", "starter"], "cannot be used with"),
        (&["--release", "nobodys"], "there is no release \"nobodys\""),
        (&["--seconds", "nan"], "a number from 0.01 to 3600"),
        (&["--batch", "0"], "1..=4096"),
        (&["--precision", "int8"], "auto, bf16, fp16, fp32, reference"),
        (&["--streams", "0"], "1..=7"),
        (&["--capture", "many"], "invalid value"),
    ] {
        let output = sandbox.output(&[&["bench"], args].concat());
        let text = words(&output);
        assert!(output.status.code() == Some(2) && text.contains(wanted), "{args:?}: {text}");
    }
    assert_eq!(names_in(&sandbox.state()), [sandbox.inbox()], "nothing is written");
    assert!(sandbox.output(&["models", "list"]).status.success(), "installs the starter");
    let text = words(&sandbox.output(&["bench", "--release", "nobodys"]));
    assert!(text.contains("there is no release \"nobodys\"; there are starter"), "{text}");
}

#[test]
fn a_release_is_measured_by_its_name() {
    let sandbox = sandbox();
    assert!(sandbox.output(&["models", "list"]).status.success(), "installs the starter");
    let before = names_in(&sandbox.state());
    let output = sandbox.output(&["bench", "--release", "starter", "--seconds", "0.1", "--json"]);
    assert!(output.status.success(), "{}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["release"], "starter");
    rates(&report["networks"][0], &[2]);
    assert_eq!(names_in(&sandbox.state()), before, "no ledger, no lock");
}

#[test]
fn steps_of_training_are_measured_too() {
    let sandbox = sandbox();
    let output = bench(&sandbox, &["--training", "--batch", "2", "--json"]);
    assert!(output.status.success(), "{}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["networks"].as_array().map(Vec::len), Some(1));
    rates(&report["networks"][0], &[2]);
    let text = words(&bench(&sandbox, &["--training", "--batch", "2"]));
    assert!(text.contains("VIEWS/S") && text.contains("shufflenet_v2_x2_0"), "{text}");
    assert_eq!(bench(&sandbox, &["--training", "--streams", "2"]).status.code(), Some(2));
}
