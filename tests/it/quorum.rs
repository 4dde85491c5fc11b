//! A release of two networks, one of them damaged: refused, unless the settings let the other grade alone.

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, files_below, names_in, words};
use crate::schema::misfit;
use serde_json::{Value, json};
use std::path::PathBuf;

const GONE: &str = "shufflenet_v2_x2_0_2";

fn ask(sandbox: &Sandbox, quorum: usize) {
    let settings = format!("[ensemble]\nrelease = \"two\"\nquorum = {quorum}");
    std::fs::write(sandbox.beside("kellgrend.toml"), QUICK.replace("[ensemble]", &settings)).expect("settings");
}

/// The release `two` of the starter's weights twice, at small image sizes so that it is quick.
pub fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    assert!(sandbox.output(&["models", "list"]).status.success(), "installs the starter");
    let weights = sandbox.state().join("models/starter/shufflenet_v2_x2_0.safetensors");
    let file = weights.to_str().expect("UTF-8");
    let sizes = ["--image-size", "224", "--image-size", "shufflenet_v2_x2_0_2=192"];
    let warm = ["--temperature", "shufflenet_v2_x2_0_2=1.5"];
    let output = sandbox.output(&[&["models", "import", file, file, "--name", "two"], &sizes[..], &warm].concat());
    assert!(output.status.success(), "{}", words(&output));
    sandbox
}

fn weights(sandbox: &Sandbox) -> PathBuf {
    sandbox.state().join(format!("models/two/{GONE}.safetensors"))
}

/// Flips one bit of the second network's weights; again, and they are sound.
fn flip(sandbox: &Sandbox) {
    let mut bytes = std::fs::read(weights(sandbox)).expect("weights");
    *bytes.last_mut().expect("bytes") ^= 1;
    std::fs::write(weights(sandbox), bytes).expect("written");
}

pub fn film(sandbox: &Sandbox, seed: u32) -> String {
    let path = sandbox.beside(&format!("{seed}L.png"));
    std::fs::write(&path, small_png(seed)).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn import_sets_image_size_and_temperature_for_each_member() {
    let sandbox = two();
    let shown = words(&sandbox.output(&["models", "show", "two"]));
    let members: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().take(4).collect()).collect();
    assert!(members.contains(&vec!["shufflenet_v2_x2_0", "shufflenet_v2_x2_0", "224", "1"]), "{shown}");
    assert!(members.contains(&vec![GONE, "shufflenet_v2_x2_0", "192", "1.5"]), "{shown}");
    let card = std::fs::read_to_string(sandbox.state().join("models/two/MODEL_CARD.md")).expect("a card");
    assert!(card.contains("at 192 pixels, temperature 1.5"), "{card}");

    let file = sandbox.state().join("models/starter/shufflenet_v2_x2_0.safetensors");
    let torchvisions = sandbox.beside("shufflenetv2_x2_0-8be3c8ee.safetensors");
    std::fs::copy(file, &torchvisions).expect("copied");
    let file = torchvisions.to_str().expect("UTF-8");
    let import = |more: &[&str]| {
        let output = sandbox.output(&[&["models", "import", file, "--name", "more"], more].concat());
        (output.status.code(), words(&output))
    };
    for (more, wanted) in [
        (["--image-size", "resnet=224"], "there will be no member resnet; there will be shufflenet_v2_x2_0"),
        (["--image-size", "large"], "\"large\" is not a number that fits"),
        (["--temperature", "1,5"], "\"1,5\" is not a number that fits"),
        (["--temperature=1", "--temperature=2"], "--temperature is given twice for all members"),
    ] {
        let (exit, text) = import(&more);
        assert!(exit == Some(2) && text.contains(wanted), "{more:?}: {text}");
    }
    for (more, wanted) in
        [(["--temperature", "0"], "0.05 to 20 are possible"), (["--zoom", "3"], "1 to 2 are possible")]
    {
        let (exit, text) = import(&more);
        assert!(exit == Some(3) && text.contains(wanted), "{text}");
    }
    assert_eq!(import(&["--temperature=0.8", "--zoom=1.1"]).0, Some(0), "its name is torchvision's");
    let shown = words(&sandbox.output(&["models", "show", "more"]));
    assert!(shown.contains("512, zoom 1.1"), "{shown}");
    let card = std::fs::read_to_string(sandbox.state().join("models/more/MODEL_CARD.md")).expect("a card");
    assert!(card.contains("at 512 pixels, zoom 1.1, temperature 0.8"), "{card}");
}

#[test]
fn a_damaged_member_stops_the_start_unless_enough_others_remain() {
    let sandbox = two();
    flip(&sandbox);
    let film = film(&sandbox, 1);
    for (quorum, wanted) in [(0, ""), (2, "1 of its 2 members can be loaded, and the quorum is 2")] {
        ask(&sandbox, quorum);
        for command in [&["grade", film.as_str()][..], &["run"], &["check"]] {
            let output = sandbox.output(command);
            let text = words(&output);
            assert_eq!(output.status.code(), Some(3), "{command:?} with quorum {quorum}: {text}");
            let file = format!("{GONE}.safetensors was changed after it was written");
            assert!(text.contains("release two: ") && text.contains(&file) && text.contains(wanted), "{text}");
        }
    }
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 0);
    ask(&sandbox, 1);
    let output = sandbox.output(&["grade", &film]);
    assert!(output.status.success(), "{}", words(&output));
}

#[test]
fn with_a_quorum_every_output_says_who_was_missing() {
    let sandbox = two();
    ask(&sandbox, 1);
    flip(&sandbox);
    let check = sandbox.output(&["check"]);
    let text = words(&check);
    assert!(check.status.success() && text.contains(&format!("note  member      {GONE} is missing")), "{text}");
    assert!(text.contains("two: 1 of 2 networks"), "{text}");

    let first = film(&sandbox, 1);
    let output = sandbox.output(&["grade", &first, "--json"]);
    let text = words(&output);
    assert!(text.contains("WARN") && text.contains(GONE) && text.contains("was changed after"), "{text}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&answer["missing"], &answer["agreement"]), (&json!([GONE]), &json!(1.0)));
    assert_eq!(answer["votes"].as_array().map(Vec::len), Some(1));
    let text = words(&sandbox.output(&["grade", &first]));
    assert!(text.lines().any(|line| line.ends_with(&format!("(graded before)  (without {GONE})"))), "{text}");
    let csv = sandbox.output(&["grade", &first, "--csv"]);
    assert!(String::from_utf8_lossy(&csv.stdout).trim_end().ends_with(&format!(",{GONE},")), "{csv:?}");

    sandbox.drop_in("2L.png", &small_png(2));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 2);
    assert!(daemon.log().contains("WARN") && daemon.log().contains(GONE), "{}", daemon.log());
    let status = sandbox.output(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("a JSON object");
    assert_eq!(status["missing"], json!([GONE]));
    daemon.stop(rustix::process::Signal::TERM);
    assert!(words(&sandbox.output(&["status"])).contains(&format!("missing     {GONE}: not loaded")));
    assert_eq!(sandbox.count(&format!("SELECT count(*) FROM report_grades WHERE missing = '{GONE}'")), 2);
    assert!(words(&sandbox.output(&["report", "grades"])).contains(GONE));
    let records = files_below(&sandbox.state().join("outbox")).into_iter().filter(|path| path.ends_with("result.json"));
    for record in records.clone() {
        let record: Value = serde_json::from_slice(&std::fs::read(record).expect("a record")).expect("JSON");
        assert_eq!(misfit(&record), None, "{record:#}");
        assert_eq!(record["knees"][0]["missing"], json!([GONE]));
    }
    assert_eq!(records.count(), 2);
}

#[test]
fn a_release_is_put_into_service_if_it_grades_as_the_settings_have_it() {
    let sandbox = two();
    flip(&sandbox);
    let told = |args: &[&str]| {
        let output = sandbox.output(args);
        (output.status.code(), words(&output))
    };
    let (exit, text) = told(&["models", "promote", "two"]);
    assert!(exit == Some(3) && text.contains("was changed after it was written"), "{text}");
    ask(&sandbox, 1);
    assert_eq!(told(&["models", "promote", "two"]).0, Some(0), "the other member is enough");
    flip(&sandbox);

    let models = sandbox.state().join("models");
    std::fs::create_dir(models.join("copy")).expect("made");
    for file in names_in(&models.join("two")) {
        let name = file.file_name().expect("a name");
        std::fs::copy(&file, models.join("copy").join(name)).expect("copied");
    }
    let (exit, text) = told(&["models", "promote", "copy"]);
    assert!(exit == Some(2) && text.contains("calls itself \"two\""), "{text}");
}

/// A name stands for one release wherever it has results, also where the settings or the command line name it.
#[test]
fn other_weights_under_a_name_that_has_graded_are_refused() {
    let sandbox = two();
    let film = film(&sandbox, 1);
    let grade = || sandbox.output(&["grade", &film, "--release", "two", "--no-pictures"]);
    assert!(grade().status.success());
    let folder = sandbox.state().join("models/two");
    let file = folder.join("shufflenet_v2_x2_0.safetensors");
    let kept = sandbox.beside("shufflenet_v2_x2_0.safetensors");
    std::fs::rename(file, &kept).expect("moved");
    std::fs::remove_dir_all(folder).expect("removed");
    let import =
        sandbox.output(&["models", "import", kept.to_str().expect("UTF-8"), "--name", "two", "--image-size", "192"]);
    assert!(import.status.success(), "{}", words(&import));
    let refused = grade();
    let text = words(&refused);
    assert!(refused.status.code() == Some(3) && text.contains("another release called \"two\" has graded"), "{text}");
}

/// Once: what was graded without a member stays as it was, and says so; what comes later has the vote of all.
#[test]
fn a_member_that_comes_back_votes_on_what_comes_then() {
    let sandbox = two();
    ask(&sandbox, 1);
    flip(&sandbox);
    let films = [film(&sandbox, 1), film(&sandbox, 2)];
    let grade = |film: &str| {
        let output = sandbox.output(&["grade", film, "--json", "--no-pictures"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output)))
    };
    let before = grade(&films[0]);
    flip(&sandbox);
    let again = grade(&films[0]);
    assert_eq!((&again["status"], &again["missing"]), (&json!("duplicate"), &json!([GONE])));
    assert_eq!((&again["votes"], &again["entropy"]), (&before["votes"], &before["entropy"]));
    let whole = grade(&films[1]);
    assert_eq!((&whole["status"], &whole["missing"]), (&json!("graded"), &json!([])));
    assert_eq!(whole["votes"].as_array().map(Vec::len), Some(2));
    let status = sandbox.output(&["status", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&status.stdout).expect("JSON")["missing"], json!([]));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_grades WHERE missing IS NULL"), 1);
    assert_eq!(names_in(&sandbox.state().join("outbox")).len(), 2);
}
