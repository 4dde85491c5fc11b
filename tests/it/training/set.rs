//! The frozen training set: what is in it, who is gold, and that it reads back as it was.

use super::{knee, labelled};
use crate::film::{self, Film};
use crate::sandbox::decoders;
use kellgrend::dataset::{Labelled, in_folders};
use kellgrend::digest::Digest;
use kellgrend::grade::KlGrade;
use kellgrend::training::reading::read_all;
use kellgrend::training::set::{Dealing, Folds, GoldSet, Knee, Place, Tables, TrainingSet, freeze};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn files(folder: &Path) -> Vec<Labelled> {
    let of_grade = |grade: usize| crate::sandbox::files_below(&folder.join(grade.to_string()));
    in_folders((0..5).flat_map(of_grade).collect()).0
}

fn two_folds() -> Dealing {
    Dealing { folds: 2, seed: 1, kept: Folds::default() }
}

/// What an installation calls a patient.
fn keep(patient: &str) -> Option<String> {
    Some(format!("the one called {patient}"))
}

fn frozen(folder: &Path, gold: &GoldSet) -> (TrainingSet, Vec<String>) {
    let (set, passed) =
        freeze(&files(folder), gold, &two_folds(), &decoders(), 2, keep, || {}).expect("enough of each grade");
    (set, passed.into_iter().map(|passed| passed.reason).collect())
}

#[test]
fn files_are_taken_in_order_and_no_more_are_read_once_nobody_takes_them() {
    let read = AtomicUsize::new(0);
    let mut taken = Vec::new();
    let numbers: Vec<usize> = (0..10_000).collect();
    let reading = |number: &usize| {
        read.fetch_add(1, Ordering::Relaxed);
        *number
    };
    let is_taken = |index, number| {
        taken.push((index, number));
        index < 20
    };
    read_all(&numbers, 3, reading, is_taken).expect("threads that end as they should");
    assert_eq!(taken, (0..=20).map(|number| (number, number)).collect::<Vec<_>>());
    let read = read.into_inner();
    assert!(read < 100, "{read} were read, of which 21 were wanted");
}

#[test]
fn a_patient_is_whole_in_one_place_and_gold_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 8);
    // every patient has a second knee, of another grade
    for grade in 0..5u8 {
        for number in 0..8 {
            let number = u64::from(grade) * 1000 + number;
            let other = folder.path().join(((grade + 1) % 5).to_string()).join(format!("{number}R.png"));
            knee(number + 50_000, grade).save(other).expect("written");
        }
    }
    let share = GoldSet { share: 0.2, ..GoldSet::default() };
    let (set, passed) = frozen(folder.path(), &share);
    assert_eq!((set.knees.len(), passed.len()), (80, 0));
    let mut places: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
    set.knees.iter().for_each(|knee| places.entry(&knee.patient).or_default().push(knee.place));
    assert_eq!(places.len(), 40);
    for (patient, places) in &places {
        assert!(places.len() == 2 && places[0] == places[1], "{patient}: {places:?}");
    }
    let gold = |set: &TrainingSet| set.gold().iter().map(|knee| knee.radiograph).collect::<BTreeSet<_>>();
    assert!(!gold(&set).is_empty());
    let shares = set.shares();
    assert_eq!(shares.iter().map(|share| share.patients).sum::<usize>(), 40);

    // the same patients are gold when others come
    for grade in 0..5u8 {
        let number = 90_000 + u64::from(grade);
        let path = folder.path().join(format!("{grade}/{number}L.png"));
        knee(number, grade).save(path).expect("written");
    }
    let (later, _) = frozen(folder.path(), &share);
    let known: BTreeSet<_> = set.knees.iter().map(|knee| knee.radiograph).collect();
    assert_eq!(gold(&later).intersection(&known).copied().collect::<BTreeSet<_>>(), gold(&set));
    assert_eq!(later.knees.len(), 85);
}

#[test]
fn what_contradicts_itself_is_left_out_and_what_is_there_twice_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 4);
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(path("0/0L.png"), path("0/again.png")).expect("copied");
    std::fs::copy(path("1/1000L.png"), path("3/contradicts.png")).expect("copied");
    std::fs::write(path("2/broken.png"), "no picture").expect("written");
    let (set, mut passed) = frozen(folder.path(), &GoldSet::default());
    passed.sort();
    assert_eq!(set.knees.len(), 19, "{passed:?}");
    assert!(passed.iter().any(|reason| reason.contains("in the set already")), "{passed:?}");
    let contradicted = passed.iter().filter(|reason| reason.contains("another grade; none of them is used"));
    assert_eq!(contradicted.count(), 2, "each of them is said: {passed:?}");
    assert_eq!(passed.len(), 4, "{passed:?}");
}

/// Some name the files of each grade's folder from 1 on.
#[test]
fn films_that_say_nothing_of_a_patient_are_each_their_own_whatever_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 4);
    for grade in 0..5u8 {
        for (number, name) in [(7, "1.png"), (20, "knee_L.png")] {
            let path = folder.path().join(format!("{grade}/{name}"));
            knee(number + u64::from(grade), grade).save(path).expect("written");
        }
    }
    let (set, _) = frozen(folder.path(), &GoldSet::default());
    let nameless: BTreeSet<_> =
        set.knees.iter().filter(|knee| knee.is_nameless()).map(|knee| knee.patient.as_str()).collect();
    assert_eq!(nameless.len(), 10);
}

#[test]
fn the_manifest_reads_back_and_names_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 3);
    let gold = GoldSet { files: vec![files(folder.path())[0].clone()], ..GoldSet::default() };
    labelled(folder.path(), 4);
    let (set, _) = frozen(folder.path(), &gold);
    assert_eq!(set.gold().len(), 1);
    let Tables { knees, files } = set.to_csv().expect("written");
    assert_eq!(TrainingSet::from_csv(&knees, &files).expect("read"), set);
    let manifest = String::from_utf8(knees).expect("text");
    assert!(manifest.starts_with("sha256,knee,grade,patient,fold\n"), "{manifest}");
    assert!(!manifest.contains("3000") && !manifest.contains(".png"), "{manifest}");
}

#[test]
fn too_few_patients_of_a_grade_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 3);
    let few: Vec<_> = files(folder.path())
        .into_iter()
        .filter(|file| u8::from(file.truth) != 4 || file.path.ends_with("4000L.png"))
        .collect();
    let error = freeze(&few, &GoldSet::default(), &two_folds(), &decoders(), 2, keep, || {})
        .expect_err("one is not enough")
        .to_string();
    assert!(
        error.contains("only 1 patient has a knee of grade 4 outside the gold set, and 2 folds need one each"),
        "{error}"
    );
}

/// The archive calls a patient by a keyed hash, a folder by a number: the film that both have tells that these are one.
#[test]
fn a_patient_of_the_gold_set_is_gold_by_whatever_name() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 4);
    let mut archive = files(folder.path());
    let gold = folder.path().join("gold/2");
    std::fs::create_dir_all(&gold).expect("made");
    std::fs::copy(folder.path().join("1/1000L.png"), gold.join("1000L.png")).expect("copied");
    knee(77_000, 1).save(folder.path().join("1/77000R.png")).expect("written");
    // as films are called in the archive; the second knee of patient 1000 is of another film
    for (number, film) in archive.iter_mut().enumerate() {
        let path = folder.path().join(format!("{number:064x}.png"));
        std::fs::copy(&film.path, &path).expect("copied");
        let name = film.path.file_stem().expect("a name").to_string_lossy().into_owned();
        film.patient_by_name = keep(name.trim_end_matches('L'));
        (film.path, film.position) = (path, Some(0));
    }
    let path = folder.path().join(format!("{:064x}.png", 99));
    knee(77_000, 1).save(&path).expect("written");
    let truth = archive[4].truth;
    archive.push(Labelled { path, truth, graded: None, position: Some(0), patient_by_name: keep("1000") });

    let in_gold = in_folders(vec![gold.join("1000L.png")]).0;
    let gold = GoldSet { files: in_gold, ..GoldSet::default() };
    let none = |_: &str| None;
    let freeze = |keep: &dyn Fn(&str) -> Option<String>| {
        freeze(&archive, &gold, &two_folds(), &decoders(), 2, keep, || {}).expect("enough of each grade")
    };
    for (set, passed) in [freeze(&none), freeze(&keep)] {
        let reasons: Vec<_> = passed.iter().map(|passed| passed.reason.as_str()).collect();
        assert_eq!(reasons, ["the gold set has the same knee, with another grade, which stands"]);
        let gold = set.gold();
        assert_eq!((set.knees.len(), gold.len()), (21, 2));
        assert_eq!(gold[0].patient, gold[1].patient);
        assert_eq!(gold.iter().map(|knee| u8::from(knee.grade)).collect::<Vec<_>>(), [2, 1]);
    }
}

/// A mistaken patient ID is corrected, and the film is sent again; what stands for no patient names nobody.
#[test]
fn films_of_one_study_are_one_patients_whatever_ids_they_bear() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 4);
    let pixels: Vec<u8> = (0..96 * 96).map(|i| (i % 251) as u8).collect();
    for (name, id, study, instance) in [
        ("a", "100", "1.2.1", "1.2.1.1"),
        ("b", "200", "1.2.1", "1.2.1.2"),
        ("c", "300", "1.2.9", "1.2.1.2"),
        ("d", "ANONYMOUS", "1.2.4", "1.2.4.1"),
        ("e", "ANONYMOUS", "1.2.5", "1.2.5.1"),
        ("f", "0000", "1.2.6", "1.2.6.1"),
        ("g", "0000", "1.2.7", "1.2.7.1"),
        ("h", "400", "1", "1"),
        ("i", "500", "1", "1"),
        ("j", "600", "1", "1"),
    ] {
        let film = Film::grey8(96, 96, &pixels).text(0x0010_0020, "LO", id).text(0x0020_000D, "UI", study);
        let bytes = film.text(0x0008_0018, "UI", instance).file(film::EXPLICIT);
        std::fs::write(folder.path().join(format!("2/{name}.dcm")), bytes).expect("written");
    }
    let (set, passed) = frozen(folder.path(), &GoldSet::default());
    assert_eq!(passed.len(), 0, "{passed:?}");
    let of_dicom = |knee: &&Knee| knee.path.extension().is_some_and(|ending| ending == "dcm");
    let patients: Vec<&str> = set.knees.iter().filter(of_dicom).map(|knee| knee.patient.as_str()).collect();
    assert!(patients[0] == patients[1] && patients[1] == patients[2], "{patients:?}");
    // one UID of all films tells nothing
    assert_eq!(patients[3..].iter().collect::<BTreeSet<_>>().len(), 6, "{patients:?}");
}

/// Whoever comes back with another film stays where the first one was.
#[test]
fn a_patient_stays_in_a_fold_whichever_film_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    labelled(folder.path(), 6);
    let (before, _) = frozen(folder.path(), &GoldSet::default());
    let mut kept = Folds::default();
    before.learnt().for_each(|(_, fold, knee)| kept.add(knee, fold));
    let other = tempfile::tempdir().expect("a folder");
    for (number, knee) in (600_000..).zip(&before.knees) {
        let grade = u8::from(knee.grade);
        let name = knee.path.file_stem().expect("a name").to_string_lossy().replace('L', "R");
        let path = other.path().join(format!("{grade}/{name}.png"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        super::knee(number, grade).save(path).expect("written");
    }
    let by_patient = |set: &TrainingSet| -> BTreeMap<String, usize> {
        set.learnt().map(|(_, fold, knee)| (knee.kept.clone().expect("a name"), fold)).collect()
    };
    let dealing = Dealing { seed: 99, kept, ..two_folds() };
    let films = files(other.path());
    let (after, _) = freeze(&films, &GoldSet::default(), &dealing, &decoders(), 2, keep, || {}).expect("dealt");
    assert_eq!(by_patient(&after), by_patient(&before));
    let gold = GoldSet { share: 1.0, known: dealing.kept.clone(), ..GoldSet::default() };
    let (drawn, _) = freeze(&films, &gold, &dealing, &decoders(), 2, keep, || {}).expect("dealt");
    assert!(drawn.gold().is_empty(), "all have been learnt from");
}

/// Who put a film there may still hold it open: what was graded is learnt from, and nothing else under its name.
#[test]
fn an_original_that_has_changed_is_not_learnt_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("film.png");
    knee(1000, 1).save(&path).expect("written");
    let graded = Digest::of(&std::fs::read(&path).expect("a film"));
    let labelled =
        Labelled { path, truth: KlGrade::ALL[1], graded: Some(graded), position: Some(0), patient_by_name: None };
    assert_eq!(labelled.read(&decoders()).expect("it is what was graded").digest, graded);
    knee(2000, 4).save(&labelled.path).expect("written over");
    let refused = labelled.read(&decoders()).err().expect("it is another film").to_string();
    assert!(refused.contains("not those that were graded"), "{refused}");
}
