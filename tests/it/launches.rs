//! However knees are put together and given to the device, the answers are the same.

use crate::films::small_png;
use crate::sandbox::{Sandbox, words};
use kellgrend::phantom::{Coding, Knees, Subject, bilateral, dicom};
use serde_json::Value;
use std::collections::BTreeMap;

/// Films of one knee, films of two, and one that is none.
fn films(sandbox: &Sandbox) -> String {
    let folder = sandbox.beside("films");
    std::fs::create_dir(&folder).expect("made");
    for seed in 0..12 {
        std::fs::write(folder.join(format!("{seed}.png")), small_png(seed)).expect("written");
    }
    for seed in 0..2 {
        let film = dicom(&bilateral(seed, 0.2, 0.7), &Subject::new(seed, Knees::Both), Coding::ExplicitLittleEndian);
        std::fs::write(folder.join(format!("both{seed}.dcm")), film.expect("a DICOM file")).expect("written");
    }
    std::fs::write(folder.join("notes.txt"), "no image").expect("written");
    folder.to_str().expect("UTF-8").to_owned()
}

/// The probabilities of every knee, by file and side, as these settings grade them.
fn graded(settings: &str) -> BTreeMap<String, Vec<f64>> {
    let sandbox = Sandbox::with(settings);
    let output = sandbox.output(&["grade", &films(&sandbox), "--json", "--no-pictures", "--jobs", "4"]);
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "one film is refused: {}", words(&output));
    let knees = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON object a line"));
    let knee = |line: Value| {
        let name = line["file"].as_str().expect("a file").rsplit('/').next().expect("a name").to_owned();
        let probabilities = line["probabilities"].as_array()?.iter().map(|p| p.as_f64().expect("a number")).collect();
        Some((format!("{name} {}", line["side"]), probabilities))
    };
    knees.filter_map(knee).collect()
}

#[track_caller]
fn assert_near(found: &BTreeMap<String, Vec<f64>>, expected: &BTreeMap<String, Vec<f64>>, tolerance: f64) {
    assert_eq!(expected.len(), 16);
    assert!(found.keys().eq(expected.keys()), "{found:?}");
    for (knee, expected) in expected {
        let far = found[knee].iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < tolerance, "{knee}: {:?}, alone {expected:?}", found[knee]);
    }
}

#[test]
fn batches_that_overlap_lose_and_change_nothing() {
    let alone = graded("[ensemble]\ndevice = \"cpu\"\nprecision = \"fp32\"\nbatch = 1\n");
    for batch in [1, 3] {
        let settings = format!("[ensemble]\ndevice = \"cpu\"\nprecision = \"fp32\"\nbatch = {batch}\nstreams = 2\n");
        assert_near(&graded(&settings), &alone, 1e-3);
    }
}

/// `check` holds the networks, as they are set, against themselves in plain float32.
#[test]
fn check_says_how_far_the_fast_numbers_are_from_plain_ones() {
    for precision in ["auto", "fp32", "reference"] {
        let sandbox = Sandbox::with(&format!("[ensemble]\ndevice = \"cpu\"\nprecision = \"{precision}\"\n"));
        assert!(sandbox.output(&["models", "list"]).status.success(), "installs the starter");
        assert!(sandbox.output(&["models", "use", "starter"]).status.success(), "puts it into service");
        let output = sandbox.output(&["check"]);
        let text = words(&output);
        assert!(output.status.success(), "{text}");
        let line = text.lines().find(|line| line.starts_with("ok    precision")).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains("probabilities within 0.0") && line.contains("plain float32"), "{line}");
    }
}

/// On a GPU: every kind of number, one after another and with all that the extension adds.
#[test]
fn a_gpu_grades_as_the_cpu_does() {
    let sandbox = Sandbox::with("[ensemble]\ndevice = \"cuda\"\n");
    let check = words(&sandbox.output(&["check"]));
    if !check.contains("ok    device") {
        return println!("skipped: no GPU can be used here");
    }
    let reference = graded("[ensemble]\ndevice = \"cpu\"\nprecision = \"reference\"\n");
    for precision in ["reference", "fp32", "fp16", "auto"] {
        for launches in ["", "batch = 3\n", "batch = 3\nstreams = 2\ncapture = 2\n"] {
            let settings = format!("[ensemble]\ndevice = \"cuda\"\nprecision = \"{precision}\"\n{launches}");
            assert_near(&graded(&settings), &reference, 0.02);
        }
    }
}
