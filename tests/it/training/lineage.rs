//! Runs that go on from others: nobody whom a network has learnt from becomes a stranger again.

use super::runs::knees;
use super::{SMALL, knee, labelled};
use crate::films::png;
use crate::sandbox::{Sandbox, names_in, words};
use kellgrend::digest::Digest;
use std::collections::BTreeMap;
use std::path::Path;

/// From the release in service, by another seed, which would deal everybody anew; at a rate of 0 nothing is learnt.
const ON: [&str; 8] = ["--seed", "77", "--set", "start=release", "--set", "rate=0", "--set", "epochs=1"];

#[track_caller]
fn run(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = sandbox.output(args);
    assert!(output.status.success(), "{args:?}: {}", words(&output));
    words(&output)
}

/// A run `a`, whose release is in service, and the folder of its knees.
fn begun() -> (Sandbox, String) {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    run(&sandbox, &["train", &path, "--name", "a", "--set", "epochs=1"]);
    run(&sandbox, &["models", "promote", "a"]);
    (sandbox, path)
}

#[track_caller]
fn go_on(sandbox: &Sandbox, path: &str, name: &str, how: &[&str]) -> String {
    run(sandbox, &[&["train", path, "--name", name][..], how, &ON].concat())
}

fn card(sandbox: &Sandbox, release: &str) -> String {
    let path = sandbox.state().join("models").join(release).join("card.json");
    std::fs::read_to_string(path).expect("a card")
}

/// A network's last layer as a run's fit left it.
fn last_layer(sandbox: &Sandbox, run: &str, fold: usize) -> Vec<u8> {
    let path = format!("training/{run}/fits/shufflenet_v2_x2_0-fold{fold}/weights.safetensors");
    let bytes = std::fs::read(sandbox.state().join(path)).expect("weights");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    tensors.tensor("fc.weight").expect("a last layer").data().to_vec()
}

/// The fold of each radiograph, by its digest.
fn folds(sandbox: &Sandbox, run: &str) -> BTreeMap<String, String> {
    let path = sandbox.state().join("training").join(run).join("knees.csv");
    let mut table = csv::Reader::from_path(path).expect("a manifest");
    let rows = table.records().map(|row| row.expect("a row"));
    rows.map(|row| (row[0].to_owned(), row[4].to_owned())).collect()
}

#[test]
fn a_network_goes_on_leaving_out_whom_it_left_out() {
    let (sandbox, path) = begun();
    labelled(Path::new(&path), 9);
    go_on(&sandbox, &path, "b", &[]);

    let (before, after) = (folds(&sandbox, "a"), folds(&sandbox, "b"));
    assert_eq!((before.len(), after.len()), (30, 45));
    assert!(before.iter().all(|(radiograph, fold)| after[radiograph] == *fold));
    let [one, two] = [1, 2].map(|fold| last_layer(&sandbox, "a", fold));
    assert_ne!(one, two);
    assert_eq!([1, 2].map(|fold| last_layer(&sandbox, "b", fold)), [one, two]);
    assert!(card(&sandbox, "b").contains("each from networks that had not seen it"));

    // a release that was made elsewhere may have seen anybody
    run(&sandbox, &["models", "rollback"]);
    go_on(&sandbox, &path, "c", &[]);
    assert!(card(&sandbox, "c").contains("though starter, which they began from, may have"));
    assert_ne!(folds(&sandbox, "c"), after);
}

#[test]
fn who_turns_out_to_be_one_patient_in_two_folds_is_learnt_from_no_more() {
    let (sandbox, path) = begun();
    let before = folds(&sandbox, "a");
    let fold = |film: &Path| &before[&Digest::of(&std::fs::read(film).expect("a film")).to_string()];
    let folder = Path::new(&path).join("2");
    let mut films = names_in(&folder);
    let one = films.remove(0);
    let other = films.into_iter().find(|film| fold(film) != fold(&one)).expect("a knee in another fold");
    std::fs::rename(one, folder.join("77L.png")).expect("renamed");
    std::fs::rename(other, folder.join("77R.png")).expect("renamed");
    let said = go_on(&sandbox, &path, "b", &[]);
    assert_eq!(said.matches("its patient's knees were in several folds").count(), 2, "{said}");
    let after = folds(&sandbox, "b");
    assert_eq!(after.len(), before.len() - 2);
    assert!(after.iter().all(|(radiograph, fold)| before[radiograph] == *fold));
}

#[test]
fn what_goes_on_keeps_the_side_of_its_pictures() {
    let (sandbox, path) = begun();
    std::fs::write(sandbox.beside("kellgrend.toml"), SMALL.replace("image_size = 64\n", "")).expect("settings");
    go_on(&sandbox, &path, "b", &["--only-folds", "1"]);
    let release = std::fs::read_to_string(sandbox.state().join("models/b/release.toml")).expect("a release");
    assert!(release.contains("image_size = 64\n"), "{release}");
}

/// Not only the films are known that were learnt from, but also others of their patients.
#[test]
fn evaluate_says_of_whom_a_release_has_learnt() {
    let (sandbox, _) = begun();
    let folder = sandbox.beside("judged");
    for (grade, patient) in [(1, 1000), (1, 1990)] {
        let mut knee = knee(patient, grade);
        knee.put_pixel(0, 0, image::Luma([u8::MAX]));
        let folder = folder.join(grade.to_string());
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join(format!("{patient}L.png")), png(&knee)).expect("written");
    }
    let card = sandbox.beside("card.html");
    let [folder, page] = [&folder, &card].map(|path| path.to_str().expect("UTF-8"));
    let answer = sandbox.output(&["evaluate", folder, "--json", "--card", page]);
    let told: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!((&told["patients"], &told["learnt_from"]), (&2.into(), &1.into()), "{}", words(&answer));
    let card = std::fs::read_to_string(card).expect("a card");
    assert!(card.contains("it has learnt from the patients of 1 of them, and is flattered"));
}

#[test]
fn who_is_absent_once_is_not_forgotten() {
    let (sandbox, path) = begun();
    let away = sandbox.beside("away");
    std::fs::create_dir(&away).expect("made");
    let names = (0..5).flat_map(|grade| [0, 1].map(|number| (grade, format!("{}L.png", 1000 * grade + number))));
    let absent: Vec<_> =
        names.map(|(grade, name)| (away.join(&name), Path::new(&path).join(grade.to_string()).join(name))).collect();
    absent.iter().for_each(|(there, here)| std::fs::rename(here, there).expect("moved"));
    go_on(&sandbox, &path, "b", &[]);
    run(&sandbox, &["models", "promote", "b"]);
    absent.iter().for_each(|(there, here)| std::fs::rename(there, here).expect("moved back"));
    go_on(&sandbox, &path, "c", &[]);
    let (first, without, last) = (folds(&sandbox, "a"), folds(&sandbox, "b"), folds(&sandbox, "c"));
    assert_eq!((first.len(), without.len()), (30, 20));
    assert_eq!(first, last);

    // where the first run was removed, whom it has learnt from is not known any more
    run(&sandbox, &["models", "promote", "c"]);
    std::fs::remove_dir_all(sandbox.state().join("training/a")).expect("removed");
    go_on(&sandbox, &path, "d", &[]);
    assert!(card(&sandbox, "d").contains("though a, which they began from, may have"));
}

#[test]
fn who_was_learnt_from_does_not_become_gold() {
    let (sandbox, path) = begun();
    labelled(Path::new(&path), 16);
    let settings = SMALL.replace("gold_share = 0.0", "gold_share = 0.5");
    std::fs::write(sandbox.beside("kellgrend.toml"), settings).expect("settings");
    go_on(&sandbox, &path, "b", &[]);
    let known = folds(&sandbox, "a");
    let gold: Vec<_> = folds(&sandbox, "b").into_iter().filter(|(_, fold)| fold == "gold").collect();
    assert!(!gold.is_empty() && gold.iter().all(|(radiograph, _)| !known.contains_key(radiograph)), "{gold:?}");
    assert!(card(&sandbox, "b").contains("knees that nothing was learnt from"));

    // whoever names such knees all the same is told, and so is who reads the card
    let list = sandbox.beside("gold.txt");
    let named: Vec<&str> =
        known.keys().take(4).map(String::as_str).chain(gold.iter().map(|(known, _)| known.as_str())).collect();
    std::fs::write(&list, named.join("\n")).expect("written");
    let list = list.to_str().expect("UTF-8");
    let said = go_on(&sandbox, &path, "c", &["--gold", list]);
    assert!(said.contains("a has learnt from 4 of the gold knees"), "{said}");
    assert!(card(&sandbox, "c").contains("not learnt from here, though a has learnt from 4 of them"));
}

#[test]
fn the_card_says_of_whom_nobody_knows_what_they_have_learnt_from() {
    let sandbox = Sandbox::with(SMALL);
    let path = knees(&sandbox);
    let list = sandbox.beside("gold.txt");
    let knee = |name| Digest::of(&std::fs::read(Path::new(&path).join(name)).expect("a knee"));
    std::fs::write(&list, format!("{}\n{}\n", knee("0/1L.png"), knee("1/1001L.png"))).expect("written");
    let gold = ["--gold", list.to_str().expect("UTF-8")];
    let said = |run: &str| card(&sandbox, run).split("not learnt from here, though ").nth(1).map(str::to_owned);
    run(&sandbox, &[&["train", &path, "--name", "a", "--set", "epochs=1"][..], &gold].concat());
    let of_a = said("a").expect("a remark");
    assert!(of_a.starts_with("nobody here knows all that starter has learnt from"), "{of_a}");

    // a release that began from it knows what it knew, and no more of it is unknown
    go_on(&sandbox, &path, "b", &gold);
    run(&sandbox, &["models", "promote", "b"]);
    go_on(&sandbox, &path, "c", &gold);
    for run in ["b", "c"] {
        let remark = said(run).expect("a remark");
        assert!(remark.starts_with("starter, where the networks began, may know them"), "{run}: {remark}");
    }
}

/// As after `sudo kellgrend train`, or an older program than the one that began the run.
#[test]
fn a_run_that_cannot_be_read_is_not_taken_for_none() {
    let (sandbox, path) = begun();
    let plan = sandbox.state().join("training/a/run.toml");
    let text = std::fs::read_to_string(&plan).expect("a plan");
    std::fs::write(&plan, text.replace("[recipe]\n", "[recipe]\nof_tomorrow = 1\n")).expect("written");
    let refused = sandbox.output(&[&["train", &path, "--name", "b"][..], &ON].concat());
    assert!(!refused.status.success() && words(&refused).contains("whom a has learnt from"), "{}", words(&refused));
    assert!(!sandbox.state().join("training/b").exists());
    let anew = run(&sandbox, &["train", &path, "--name", "b", "--set", "epochs=1"]);
    assert!(anew.contains("whom a has learnt from cannot be read"), "{anew}");
    let judged = run(&sandbox, &["evaluate", &path]);
    assert!(judged.contains("whether a has learnt from these knees cannot be read"), "{judged}");
}

#[test]
fn a_run_takes_no_name_that_another_one_had() {
    let (sandbox, path) = begun();
    run(&sandbox, &["models", "rollback"]);
    for folder in ["training/a", "models/a"] {
        std::fs::remove_dir_all(sandbox.state().join(folder)).expect("removed");
    }
    let refused = sandbox.output(&["train", &path, "--name", "a", "--set", "epochs=1"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert!(words(&refused).contains("choose another --name"), "{}", words(&refused));
    assert!(!sandbox.state().join("training/a").exists());
}
