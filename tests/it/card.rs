//! What a model card tells, and what it asks for: nothing.

use kellgrend::card::{
    Card, Change, Compared, Curve, Data, Example, FoldRow, Member, Point, Release, Results, Review, SCHEMA_VERSION,
    Subset, Voter,
};
use kellgrend::evaluation::{Case, Intervals, Scores};
use kellgrend::grade::{GRADES, KlGrade, Probabilities};
use serde_json::{Value, json};

/// Knees of which a voter grades one in so many wrong, by one grade.
fn voter(name: &str, wrong: usize) -> (Voter, Vec<Case>) {
    let case = |knee: usize| {
        let truth = knee % GRADES;
        let answer = if knee.is_multiple_of(wrong) { (truth + 1) % GRADES } else { truth };
        let sure = 0.3 + 0.6 * (knee % 7) as f32 / 7.0;
        let probability = |grade| if grade == answer { sure } else { (1.0 - sure) / 4.0 };
        let probabilities = Probabilities(std::array::from_fn(probability));
        Case { patient: knee / 2, truth: KlGrade::ALL[truth], grade: KlGrade::ALL[answer], probabilities }
    };
    let cases: Vec<_> = (0..1200).map(case).collect();
    (Voter { name: name.to_owned(), scores: Scores::of(&cases), intervals: Intervals::of(&cases, 1) }, cases)
}

fn bare() -> Card {
    let (ensemble, cases) = voter("ensemble", 4);
    Card {
        schema_version: SCHEMA_VERSION,
        release: Release {
            name: "ours".to_owned(),
            sha256: None,
            created: "2027-03-14 09:26 UTC".to_owned(),
            vote: "mix".to_owned(),
            note: None,
        },
        members: Vec::new(),
        data: None,
        recipe: Vec::new(),
        curves: Vec::new(),
        results: vec![Results { on: "gold set, 1,200 knees".to_owned(), voters: vec![ensemble], cases }],
        comparison: None,
        review: None,
        subsets: Vec::new(),
        examples: Vec::new(),
    }
}

fn full() -> Card {
    let mut card = bare();
    card.release.sha256 = Some("3f0b9a6c".repeat(8));
    card.release.note = Some("<script>alert('&')</script>".to_owned());
    card.results[0].voters.push(voter("densenet161", 3).0);
    let member = |name: &str, temperature| Member {
        name: name.to_owned(),
        architecture: "densenet161".to_owned(),
        image_size: 448,
        zoom: 1.0,
        temperature,
        fold: Some(2),
    };
    let grades = [1411, 612, 907, 450, 120];
    let fold = FoldRow { name: "fold 1".to_owned(), knees: 3500, patients: 1750, grades };
    let curve = |fold| Curve {
        network: "densenet161".to_owned(),
        fold,
        kept: 3,
        points: (1..=3).map(|epoch| Point { epoch, train_loss: 1.5, loss: 0.913, accuracy: 0.617 }).collect(),
    };
    let change = |score: &str, low| Change {
        score: score.to_owned(),
        champion: 0.812,
        challenger: 0.853,
        difference: 0.041,
        low,
        high: 0.077,
    };
    Card {
        members: vec![member("a", 1.234), member("b", 0.789)],
        data: Some(Data {
            knees: 17_503,
            patients: 8752,
            nameless: 0,
            folds: vec![fold],
            source: "films of ours".to_owned(),
        }),
        recipe: vec![("label_smoothing".to_owned(), "0.15".to_owned())],
        curves: vec![curve(1), curve(2)],
        comparison: Some(Compared {
            champion: "starter".to_owned(),
            rows: vec![change("Accuracy", -0.005), change("Macro F1", 0.007)],
            passed: true,
            reasons: vec!["Quadratic kappa rises.".to_owned()],
        }),
        review: Some(Review { threshold: 0.431, coverage: 0.9, accuracy: Some(0.754), accuracy_of_marked: None }),
        subsets: (0..12)
            .map(|place| Subset {
                members: vec![format!("network{place}")],
                accuracy: Some(0.731),
                macro_f1: Some(0.702),
                quadratic_kappa: Some(0.871),
            })
            .collect(),
        examples: vec![Example { caption: "Reader KL 2".to_owned(), png: vec![0x89, b'P', b'N', b'G'] }],
        ..card
    }
}

/// What a reader sees: no marks, no styles, plain spaces.
fn words(html: &str) -> String {
    let (_, body) = html.split_once("</style>").expect("a style sheet");
    let mut words = String::new();
    for piece in body.split('<') {
        words.push(' ');
        words.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    words.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_number_is_told() {
    let card = full();
    let text = words(&card.html());
    assert!(text.contains("NOT A MEDICAL DEVICE"), "{text}");
    let told = [
        ("release", "ours 2027-03-14 mix 3f0b9a6c"),
        ("members", "448 × 448 1.234 0.789"),
        ("data", "17,503 8,752 3,500 1,750 1,411 612 907 450 120"),
        ("recipe", "label_smoothing 0.15"),
        ("curves", "densenet161 61.7 % 0.913"),
        ("comparison", "starter It passes the gate. 0.812 0.853 +0.041 −0.005 +0.077 +0.007"),
        ("review", "0.431 90.0 % 10.0 % 75.4 %"),
        ("subsets", "10 of 12 network9 73.1 % 0.702 0.871"),
    ];
    for (what, numbers) in told {
        for number in numbers.split(' ') {
            assert!(text.contains(number), "{what}: {number} is missing in {text}");
        }
    }
    assert!(!text.contains("network10"), "the best ten are enough");
    for Voter { name, scores, intervals } in &card.results[0].voters {
        let accuracy = intervals.accuracy.expect("an interval");
        let kappa = intervals.quadratic_kappa.expect("an interval");
        let mut numbers = vec![
            format!("{:.1} %", 100.0 * scores.accuracy.expect("an accuracy")),
            format!("{:.1} to {:.1} %", 100.0 * accuracy.low, 100.0 * accuracy.high),
            format!("{:.3} to {:.3}", kappa.low, kappa.high),
        ];
        let of_all =
            [scores.macro_f1, scores.quadratic_kappa, scores.mean_absolute_error, scores.log_loss, scores.brier];
        numbers.extend(of_all.map(|score| format!("{:.3}", score.expect("a score"))));
        for number in numbers {
            assert!(text.contains(&number), "{name}: {number} is missing in {text}");
        }
    }
    for of in &card.results[0].voters[0].scores.grades {
        let areas = [of.f1, of.roc_auc, of.average_precision].map(|area| format!("{:.3}", area.expect("an area")));
        assert!(areas.iter().all(|area| text.contains(area)), "{areas:?} of grade {}", of.grade);
    }
}

#[test]
fn every_mark_that_is_opened_is_closed() {
    const VOID: [&str; 4] = ["br", "img", "meta", "!DOCTYPE"];
    for html in [full().html(), bare().html()] {
        let (head, rest) = html.split_once("<style>").expect("a style sheet");
        let (_, body) = rest.split_once("</style>").expect("its end");
        let mut open = Vec::new();
        for mark in [head, body].into_iter().flat_map(|part| part.split('<').skip(1)) {
            let (mark, _) = mark.split_once('>').expect("a mark's end");
            let name = mark.trim_start_matches('/').split([' ', '/', '\n']).next().expect("a name");
            if mark.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !mark.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }
}

#[test]
fn nothing_is_asked_for_and_nothing_runs() {
    let html = full().html();
    for asking in ["http:", "https:", "url(", "@import", "<script", "<link", "<iframe", "<object", "xlink", "onload"] {
        assert!(!html.contains(asking), "{asking}");
    }
    assert!(html.contains("src=\"data:image/png;base64,iVBORw==\""));
    assert!(html.contains("default-src 'none'"));
    assert!(html.contains("&lt;script&gt;alert('&amp;')&lt;/script&gt;"), "what was noted is text");
}

/// Dark ground would hide a colour that the style sheet does not know.
#[test]
fn plots_have_titles_and_only_the_cards_colours() {
    let html = full().html();
    let plots: Vec<_> = html.split("<svg class=\"plot\"").skip(1).collect();
    assert_eq!(plots.len(), 6, "two of learning, two of calibration, two of ranking");
    for plot in plots {
        let (plot, _) = plot.split_once("</svg>").expect("its end");
        let (_, inside) = plot.split_once('>').expect("its attributes");
        assert!(inside.starts_with("<title>") && !inside.starts_with("<title></title>"), "{inside}");
        for kind in ["fill=\"#", "stroke=\"#"] {
            for colour in inside.split(kind).skip(1) {
                let rule = format!(".plot [{kind}{}\"]", &colour[..6]);
                assert!(html.contains(&rule), "{rule}");
            }
        }
    }
}

#[test]
fn what_there_is_nothing_to_tell_of_is_left_out() {
    let (bare, full) = (bare(), full());
    let (html, json): (_, Value) = (bare.html(), serde_json::from_str(&bare.json()).expect("JSON"));
    for section in ["comparison", "review", "examples", "networks", "data", "recipe", "learning", "combinations"] {
        let section = format!("<section id=\"{section}\">");
        assert!(!html.contains(&section) && full.html().contains(&section), "{section}");
    }
    for field in ["data", "comparison", "review"] {
        assert!(json.get(field).is_none(), "{field}");
    }
    assert!(!html.contains("SHA-256"));
    let nothing = Card { results: Vec::new(), ..bare };
    assert!(words(&nothing.html()).contains("NOT A MEDICAL DEVICE"));
    let no_cases = Results { on: "nothing".to_owned(), voters: vec![empty()], cases: Vec::new() };
    let html = Card { results: vec![no_cases], ..nothing }.html();
    assert!(!html.contains("NaN") && !html.contains("inf"), "{}", words(&html));
}

fn empty() -> Voter {
    Voter { name: "ensemble".to_owned(), scores: Scores::of(&[]), intervals: Intervals::of(&[], 1) }
}

/// A network that diverged has losses that are no numbers; its card is made all the same.
#[test]
fn a_fit_that_went_astray_is_drawn_as_far_as_it_goes() {
    let point = |epoch, loss| Point { epoch, train_loss: loss, loss, accuracy: 0.2 };
    let points = vec![point(1, 1.6), point(2, f64::INFINITY), point(3, f64::NAN)];
    let card = Card { curves: vec![Curve { network: "astray".to_owned(), fold: 1, kept: 3, points }], ..bare() };
    let html = card.html();
    let (_, plot) = html.split_once("<title>Loss of astray by epoch</title>").expect("a plot");
    let (plot, _) = plot.split_once("</svg>").expect("its end");
    assert!(!plot.contains("NaN") && !plot.contains("inf"), "{plot}");
    assert!(words(&html).contains("astray 20.0 % \u{2013}"), "the last loss is no number");
}

#[test]
fn card_json_has_the_same_values() {
    let card = full();
    let json: Value = serde_json::from_str(&card.json()).expect("JSON");
    assert_eq!(json["schema_version"], json!(SCHEMA_VERSION));
    assert!(json["notice"].as_str().expect("words").contains("Not a medical device"));
    assert_eq!(json["release"]["note"], json!(card.release.note));
    assert_eq!(json["members"][0]["temperature"], json!(1.234));
    assert_eq!(json["data"]["folds"][0]["grades"], json!([1411, 612, 907, 450, 120]));
    assert_eq!(json["recipe"], json!([["label_smoothing", "0.15"]]));
    assert_eq!(
        json["curves"][1]["points"][2],
        json!({"epoch": 3, "train_loss": 1.5, "loss": 0.913, "accuracy": 0.617})
    );
    let ensemble = &json["results"][0]["voters"][0];
    assert_eq!(ensemble["scores"]["accuracy"], json!(card.results[0].voters[0].scores.accuracy));
    assert!(ensemble["intervals"]["accuracy"]["low"].is_number());
    assert!(json["results"][0].get("cases").is_none(), "whose knees they are is not told");
    assert_eq!(json["comparison"]["rows"][0]["low"], json!(-0.005));
    assert_eq!(json["review"]["accuracy_of_marked"], Value::Null);
    assert_eq!(json["subsets"].as_array().expect("all").len(), 12);
    assert_eq!(json["examples"], json!([{"caption": "Reader KL 2"}]));
}
