//! Scores against scikit-learn's, and what `evaluate` says of a labelled folder.

use crate::films::{dicom_of, small_png};
use crate::sandbox::{QUICK, Sandbox, names_in, words};
use flate2::read::GzDecoder;
use kellgrend::digest::Digest;
use kellgrend::evaluation::{Bin, Case, Confusion, Interval, Intervals, Ranking, Scores, bins};
use kellgrend::grade::{GRADES, KlGrade, Probabilities};
use kellgrend::phantom::{Coding, Knees, Subject, bilateral, dicom};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Knuth's linear congruential generator (MMIX); evenly from 0 to 1.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}

/// The grading of a number, as tests/golden/scores.py makes it.
fn grading(number: u64) -> Vec<Case> {
    let mut chance = Chance(number);
    let levels = if number.is_multiple_of(3) { 4.0 } else { 1000.0 };
    let knees = 2 + (chance.next() * 150.0) as usize;
    let knee = |patient| {
        let grade = (chance.next() * 5.0) as u8;
        let truth = match number % 7 {
            0 => 1 + grade % 2 * 2,
            1 => 2,
            _ => grade,
        };
        let bonus = chance.next() * (number % 5) as f64;
        let mut score = |g: usize| {
            let bonus = if g == usize::from(truth) { bonus } else { 0.0 };
            1.0 + (levels * (chance.next() + bonus)).floor()
        };
        let scores: [f64; GRADES] = std::array::from_fn(&mut score);
        let sum: f64 = scores.iter().sum();
        let probabilities = Probabilities(scores.map(|score| (score / sum) as f32));
        let truth = KlGrade::try_from(truth).expect("a grade");
        Case { patient, truth, grade: probabilities.argmax(), probabilities }
    };
    (0..knees).map(knee).collect()
}

/// Every number near the other's, null where it is null; what we have beside it is not asked for.
#[track_caller]
fn assert_near(ours: &Value, theirs: &Value, what: &str) {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{what}");
            ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_near(ours, theirs, what));
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().expect("a number"), theirs.as_f64().expect("a number"));
            assert!((ours - theirs).abs() < 1e-6 * theirs.abs().max(1.0), "{what}: {ours}, scikit-learn says {theirs}");
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{what}"),
    }
}

#[test]
fn scores_of_a_thousand_gradings_are_scikit_learns() {
    let file = GzDecoder::new(&include_bytes!("../golden/scores.json.gz")[..]);
    let golden: Vec<Value> = serde_json::from_reader(file).expect("the golden file is JSON");
    assert_eq!(golden.len(), 1000);
    for (number, golden) in (0..).zip(&golden) {
        let scores = serde_json::to_value(Scores::of(&grading(number))).expect("JSON");
        for (name, theirs) in golden.as_object().expect("an object") {
            let what = format!("{name} of grading {number}");
            match name.as_str() {
                "confusion" => {
                    let flat =
                        scores[name].as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("a row"));
                    assert_near(&flat.cloned().collect(), theirs, &what);
                }
                "recall" | "precision" | "roc_auc" | "average_precision" => {
                    let grades = scores["grades"].as_array().expect("grades").iter();
                    assert_near(&grades.map(|grade| grade[name].clone()).collect(), theirs, &what);
                }
                _ => assert_near(&scores[name], theirs, &what),
            }
        }
    }
}

#[test]
fn nothing_to_measure_is_null() {
    let scores = serde_json::to_value(Scores::of(&[])).expect("JSON");
    for name in ["accuracy", "macro_f1", "quadratic_kappa", "mean_absolute_error", "log_loss", "brier"] {
        assert!(scores[name].is_null(), "{name}: {scores}");
    }
    assert_eq!(Intervals::of(&[], 1), Intervals { accuracy: None, macro_f1: None, quadratic_kappa: None });
    // of one patient nobody knows how far others may be from it
    let one = &grading(2)[..1];
    assert!(Scores::of(one).accuracy.is_some());
    assert_eq!(Intervals::of(one, 1).accuracy, None);
}

/// Where every knee is another patient's, an accuracy's interval is near the binomial one; where knees come in pairs of equal
/// fate, it is wider by the square root of two.
#[test]
fn intervals_count_patients_not_knees() {
    let certain = |grade: usize| Probabilities(std::array::from_fn(|g| f32::from(u8::from(g == grade))));
    let case = |patient, is_right: bool| {
        let truth = KlGrade::ALL[patient % GRADES];
        let grade = if is_right { truth } else { KlGrade::ALL[(patient + 1) % GRADES] };
        Case { patient, truth, grade, probabilities: certain(grade.index()) }
    };
    let knees: Vec<_> = (0..800).map(|knee| case(knee, knee % 10 < 7)).collect();
    let width = |cases: &[Case]| {
        let Interval { low, high } = Intervals::of(cases, 7).accuracy.expect("an accuracy");
        assert!(low < 0.7 && 0.7 < high);
        high - low
    };
    let binomial = 2.0 * 1.96 * (0.7 * 0.3 / 800f64).sqrt();
    assert!((width(&knees) / binomial - 1.0).abs() < 0.1, "{} against {binomial}", width(&knees));
    let pairs: Vec<_> = (0..400).flat_map(|patient| [case(patient, patient % 10 < 7); 2]).collect();
    let wider = width(&pairs) / width(&knees);
    assert!((wider / 2f64.sqrt() - 1.0).abs() < 0.1, "{wider}");
    assert_eq!(Intervals::of(&knees, 7), Intervals::of(&knees, 7), "the seed decides");
    let right: Vec<_> = (0..20).map(|knee| case(knee, true)).collect();
    assert_eq!(Intervals::of(&right, 7).accuracy, None, "twenty knees that are right say little of the next");
}

/// Knees of three patients in folders that say their grade, and four files that cannot be judged.
fn labelled(sandbox: &Sandbox) -> String {
    let root = sandbox.beside("labelled");
    let both = dicom(&bilateral(5, 0.2, 0.7), &Subject::new(5, Knees::Both), Coding::ExplicitLittleEndian);
    let files = [
        ("0/7001L.png", small_png(1)),
        ("0/7001R.png", small_png(2)),
        ("KL_3/7002L.png", small_png(3)),
        ("2 mild/a.dcm", dicom_of("A^B", "77", 4)),
        ("grade 4/b.dcm", dicom_of("A^B", "77", 5)),
        ("1/both.dcm", both.expect("a DICOM file")),
        ("1/7001L-again.png", small_png(1)),
        ("3/damaged.png", b"no image".to_vec()),
        ("notes/readme.txt", b"no film".to_vec()),
        ("7/9.png", small_png(9)),
    ];
    for (name, bytes) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    // a name that is no text is no reason to lose the answer
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"B\xf6hm.png");
    std::fs::rename(root.join("3/damaged.png"), root.join("3").join::<&std::ffi::OsStr>(name)).expect("renamed");
    root.to_str().expect("UTF-8").to_owned()
}

#[test]
fn evaluate_judges_a_labelled_folder_and_leaves_no_trace() {
    let sandbox = Sandbox::new();
    let folder = labelled(&sandbox);
    let output = sandbox.output(&["evaluate", &folder, "--json"]);
    assert_eq!(output.status.code(), Some(1), "four were passed over: {}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["schema_version"], &report["patients"]), (&json!(1), &json!(3)), "{report:#}");
    assert_eq!((&report["release"]["name"], &report["release"]["missing"]), (&json!("starter"), &json!([])));
    assert!(report["learnt_from"].is_null(), "nobody here has trained the starter");
    let ensemble = &report["ensemble"];
    assert_eq!(ensemble["knees"], 4);
    let knees: Vec<_> = ensemble["grades"].as_array().expect("grades").iter().map(|of| of["knees"].as_u64()).collect();
    assert_eq!(knees, [1, 0, 1, 1, 1].map(Some));
    assert!(ensemble["grades"][1]["recall"].is_null(), "nobody says 1");
    let cells = ensemble["confusion"].as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("a row"));
    assert_eq!(cells.map(|cell| cell.as_u64().expect("a count")).sum::<u64>(), 4);
    assert!(ensemble["intervals"]["accuracy"]["low"].as_f64() <= ensemble["accuracy"].as_f64());
    assert_eq!(report["members"][0]["accuracy"], ensemble["accuracy"], "one network is its own ensemble");
    let passed: Vec<_> =
        report["passed_over"].as_array().expect("files").iter().map(|one| one["reason"].as_str()).collect();
    let wanted =
        ["too; none of them is used", "the same bytes are in a folder of grade 0, too", "it shows two knees", "image"];
    for (passed, wanted) in passed.iter().zip(wanted) {
        assert!(passed.expect("a reason").contains(wanted), "{passed:?}");
    }
    assert_eq!(passed.len(), wanted.len());
    assert!(words(&output).contains("passed over 2 files, whose folders say no grade"), "{}", words(&output));
    assert_eq!(names_in(&sandbox.state()), [sandbox.inbox()], "nothing is written");

    let card = sandbox.beside("card.html");
    let text = words(&sandbox.output(&[
        "evaluate",
        &format!("{folder}/0"),
        "--seed",
        "3",
        "--card",
        card.to_str().expect("UTF-8"),
    ]));
    let page = std::fs::read_to_string(&card).expect("a page");
    assert!(page.contains("2 knees of 1 patient"), "{page}");
    let facts: Value =
        serde_json::from_slice(&std::fs::read(card.with_extension("json")).expect("read")).expect("JSON");
    assert_eq!(facts["results"][0]["voters"][0]["scores"]["knees"], 2);
    let shown = facts["examples"].as_array().expect("examples");
    assert!(shown.iter().all(|knee| knee["caption"].as_str().is_some_and(|words| words.starts_with("Grade 0"))));
    let pictures = page.matches("src=\"data:image/png;base64,").count();
    assert!((1..=2).contains(&shown.len()) && pictures == shown.len(), "{shown:?}, {pictures} pictures");
    for part in ["starter, 1 network (mix)", "2 knees of 1 patient; 0 files", "ACCURACY", "RECALL", "READER", "Brier"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let output = sandbox.output(&["evaluate", &format!("{folder}/notes")]);
    assert!(output.status.code() == Some(2) && words(&output).contains("named after its grade"), "{}", words(&output));
}

/// A film of two knees has two labels; what was graded where it lay is not in the archive.
#[test]
fn evaluate_judges_what_readers_said_of_the_archive() {
    let sandbox = Sandbox::new();
    let film = dicom(&bilateral(5, 0.2, 0.7), &Subject::new(5, Knees::Both), Coding::ExplicitLittleEndian);
    let film = film.expect("a DICOM file");
    sandbox.drop_in("both.dcm", &film);
    sandbox.drop_in("one.png", &small_png(1));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 2);
    daemon.stop(rustix::process::Signal::TERM);
    let elsewhere = sandbox.beside("elsewhere.png");
    std::fs::write(&elsewhere, small_png(2)).expect("written");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    assert!(sandbox.output(&["grade", elsewhere, "--no-pictures"]).status.success());
    let output = sandbox.output(&["evaluate", "--labels"]);
    assert!(output.status.code() == Some(2) && words(&output).contains("has a label"), "{}", words(&output));

    let (both, one) = (Digest::of(&film).to_string(), Digest::of(&small_png(1)).to_string());
    for (radiograph, side, grade) in
        [(both.as_str(), "left", "3"), (&both, "right", "0"), (&one, "unknown", "2"), (elsewhere, "unknown", "1")]
    {
        let add = ["labels", "add", radiograph, "--side", side, "--grade", grade, "--reader", "A"];
        assert!(sandbox.output(&add).status.success());
    }
    let output = sandbox.output(&["evaluate", "--labels", "--json"]);
    assert_eq!(output.status.code(), Some(1), "one is gone: {}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["ensemble"]["knees"], &report["patients"]), (&json!(3), &json!(2)), "{report:#}");
    assert!(report["passed_over"][0]["reason"].as_str().is_some_and(|why| why.contains("not in the archive")));
    // the same knees get the same grades as on record
    let pairs = "SELECT l.grade, g.grade FROM agreed_labels l JOIN grades g ON g.knee = l.knee JOIN knees k ON k.id = g.knee \
                 JOIN files f ON f.radiograph = k.radiograph AND f.origin = 'inbox'";
    let db = sandbox.ledger();
    let mut pairs = db.prepare(pairs).expect("sql");
    let mut confusion = Confusion::default();
    let mut pairs = pairs.query([]).expect("rows");
    while let Some(row) = pairs.next().expect("a row") {
        let grade = |column| usize::from(row.get::<_, u8>(column).expect("a grade"));
        confusion.0[grade(0)][grade(1)] += 1;
    }
    assert_eq!(report["ensemble"]["confusion"], serde_json::to_value(confusion).expect("JSON"));
}

/// The archive names films by their bytes; whose a picture without tags is, its name said when it came.
#[test]
fn two_knees_whose_names_told_of_one_patient_are_one_patients() {
    for (keep, patients, kept) in [("pseudonym", 3, 3), ("none", 4, 0)] {
        let sandbox = Sandbox::with(&format!("{QUICK}\n[identity]\nkeep = \"{keep}\"\n"));
        let films = [("doe 9001L.png", 1), ("doe 9001R.png", 2), ("9002_left.png", 3), ("knee_left.png", 4)];
        for (name, number) in films {
            sandbox.drop_in(name, &small_png(number));
        }
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 4);
        daemon.stop(rustix::process::Signal::TERM);
        for (_, number) in films {
            let digest = Digest::of(&small_png(number)).to_string();
            let side = if number == 2 { "right" } else { "left" };
            let add = ["labels", "add", &digest, "--side", side, "--grade", "1", "--reader", "A"];
            assert!(sandbox.output(&add).status.success());
        }
        let report: Value =
            serde_json::from_slice(&sandbox.output(&["evaluate", "--labels", "--json"]).stdout).expect("JSON");
        assert_eq!((&report["ensemble"]["knees"], &report["patients"]), (&json!(4), &json!(patients)), "{keep}");
        assert_eq!(sandbox.count("SELECT count(patient_by_name) FROM files"), kept, "{keep}");
        let ledger = std::fs::read(sandbox.state().join("ledger.db")).expect("read");
        assert!(!ledger.windows(8).any(|bytes| bytes == b"doe 9001"), "the name is in the ledger");
        if keep == "pseudonym" {
            std::fs::remove_file(sandbox.state().join("identity.key")).expect("removed");
            let film = sandbox.beside("5.png");
            std::fs::write(&film, small_png(5)).expect("written");
            let output = sandbox.output(&["grade", film.to_str().expect("UTF-8")]);
            assert!(output.status.code() == Some(3) && words(&output).contains("is missing, but the ledger holds"));
        }
    }
}

proptest! {
    #[test]
    fn scores_stay_in_their_ranges(cells in prop::array::uniform25(0u64..20)) {
        let confusion = Confusion(std::array::from_fn(|row| std::array::from_fn(|column| cells[row * 5 + column])));
        let in_range = |score: Option<f64>| score.is_none_or(|score| (-1.0..=1.0).contains(&score));
        prop_assert!(in_range(confusion.accuracy()) && in_range(confusion.macro_f1()) && in_range(confusion.quadratic_kappa()));
        prop_assert_eq!(confusion.knees(), cells.iter().sum::<u64>());
        let mut twice = confusion;
        twice.add(&confusion);
        prop_assert_eq!(twice.accuracy(), confusion.accuracy());
        let mirrored = Confusion(std::array::from_fn(|row| std::array::from_fn(|column| confusion.0[4 - row][4 - column])));
        let near = |a: Option<f64>, b: Option<f64>| a.zip(b).map_or(a == b, |(a, b)| (a - b).abs() < 1e-12);
        prop_assert!(near(mirrored.quadratic_kappa(), confusion.quadratic_kappa()), "grades counted from the other end");
    }
}

/// The curves are those whose areas scikit-learn confirms.
#[test]
fn curves_have_the_areas_that_scores_tell() {
    for cases in (0..200).map(grading) {
        let scores = Scores::of(&cases);
        for (grade, of) in KlGrade::ALL.into_iter().zip(&scores.grades) {
            let Some(ranking) = Ranking::of(grade, &cases) else {
                assert!(of.roc_auc.is_none());
                continue;
            };
            let roc = ranking.roc();
            assert_eq!((roc[0], roc[roc.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
            let trapezoids = roc.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0);
            assert!((trapezoids.sum::<f64>() - of.roc_auc.expect("an area")).abs() < 1e-9);
            let mut recall = 0.0;
            let steps = ranking.precision_recall().into_iter().map(|place| {
                let step = (place.0 - recall) * place.1;
                recall = place.0;
                step
            });
            assert!((steps.sum::<f64>() - of.average_precision.expect("an area")).abs() < 1e-9);
        }
        let bins = bins(&cases);
        assert_eq!(bins.iter().map(|bin| bin.knees).sum::<u64>(), scores.knees);
        let off = |bin: &Bin| Some((bin.probability()? - bin.accuracy()?).abs() * bin.knees as f64);
        let error = bins.iter().filter_map(off).sum::<f64>() / scores.knees as f64;
        assert!((error - scores.calibration_error.expect("an error")).abs() < 1e-9);
    }
}
