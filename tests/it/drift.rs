//! Drift: SciPy's answers, laws, and what `report drift` says.

use crate::clinic::clinic;
use crate::films::small_png;
use crate::sandbox::{Sandbox, words};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use kellgrend::drift::{Against, Drift, Finding, MONTHS, RECENT, REFERENCE, Sample, Span, Spans, holm, ranks};
use kellgrend::ledger::Ledger;
use proptest::prelude::*;
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().expect("numbers").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn sample(of: &Value) -> Sample {
    let count = |name: &str| of[name].as_u64().expect("a count");
    let grades: Vec<u64> = numbers(&of["grades"]).into_iter().map(|knees| knees as u64).collect();
    Sample {
        grades: grades.try_into().expect("five"),
        entropies: numbers(&of["entropies"]),
        agreements: numbers(&of["agreements"]),
        published: count("published"),
        refused: count("refused"),
    }
}

#[test]
fn tests_of_sixty_pairs_of_samples_are_scipys() {
    let golden: Vec<Value> =
        serde_json::from_str(include_str!("../golden/drift.json")).expect("the golden file is JSON");
    assert_eq!(golden.len(), 60);
    for (number, pair) in golden.iter().enumerate() {
        let Drift { grades, entropy, agreement, refusals } =
            Drift::of(&sample(&pair["reference"]), &sample(&pair["recent"]));
        for (name, ours) in [("grades", grades), ("entropy", entropy), ("agreement", agreement), ("refusals", refusals)]
        {
            let theirs = &pair["scipy"][name];
            let Some(Finding { difference, adjusted }) = ours else {
                assert!(theirs.is_null(), "{name} of pair {number}: SciPy says {theirs}");
                continue;
            };
            assert!(!theirs.is_null(), "{name} of pair {number}: there is too little to tell");
            let ours = [difference.statistic, difference.p, difference.size, adjusted];
            for (ours, theirs) in ours.into_iter().zip(numbers(theirs)) {
                let far = (ours - theirs).abs();
                assert!(far < 1e-9 * theirs.abs().max(1e-3), "{name} of pair {number}: {ours}, SciPy says {theirs}");
            }
        }
    }
}

/// One knee of a rare grade takes the sight of nothing: it counts as one with its neighbour.
#[test]
fn a_rare_grade_hides_no_change() {
    let said = |grades: [u64; 5]| Sample { grades, ..Sample::default() };
    let recent = said([60, 0, 0, 0, 0]);
    for reference in [[50, 50, 50, 50, 0], [50, 50, 50, 50, 1], [1, 50, 50, 50, 50]] {
        let finding = Drift::of(&said(reference), &recent).grades;
        assert!(finding.is_some_and(|finding| finding.is_change()), "{reference:?}: {finding:?}");
    }
    assert_eq!(Drift::of(&said([4, 0, 0, 0, 1]), &recent).grades, None, "too little to tell");
}

/// So many refused of so many more, where none of 1000 was before: `scipy.stats.fisher_exact([[1000, 0], [500, refused]])`.
const P_OF_REFUSALS: [(u64, f64); 3] =
    [(5, 0.004197951347155741), (6, 0.001410467052895621), (14, 2.400667878729193e-7)];

/// Where a refusal is rare, chi-squared says nothing of it, and Fisher's exact test does. The p are SciPy's.
#[test]
fn refusals_of_whom_there_were_none_are_seen() {
    let files = |published, refused| Sample { published, refused, ..Sample::default() };
    let p = |refused| Drift::of(&files(1000, 0), &files(500, refused)).refusals.map(|found| found.difference.p);
    for (refused, scipy) in P_OF_REFUSALS {
        let ours = p(refused).expect("enough to tell");
        assert!((ours - scipy).abs() < 1e-9 * scipy, "{refused}: {ours}, SciPy says {scipy}");
    }
    assert_eq!(p(0), None, "nothing that could differ");
    assert_eq!(Drift::of(&files(9, 0), &files(3, 2)).refusals, None, "too little to tell");
}

proptest! {
    /// The smallest is multiplied by their number, none falls, and their order stays.
    #[test]
    fn holms_correction_only_raises(p in prop::collection::vec(0.0..=1.0_f64, 1..9)) {
        let adjusted = holm(&p);
        let least = p.iter().copied().fold(1.0, f64::min);
        let smallest = adjusted.iter().copied().fold(1.0, f64::min);
        prop_assert!((smallest - (least * p.len() as f64).min(1.0)).abs() < 1e-12);
        for (i, (p_i, adjusted_i)) in p.iter().zip(&adjusted).enumerate() {
            prop_assert!((*p_i..=1.0).contains(adjusted_i));
            for j in 0..p.len() {
                prop_assert!(p[j] > *p_i || adjusted[j] <= adjusted[i]);
            }
        }
    }

    /// Who comes first changes only the sign.
    #[test]
    fn ranks_are_the_same_from_either_side(
        a in prop::collection::vec(0..9_u8, 20..60), b in prop::collection::vec(0..9_u8, 20..60),
    ) {
        let [a, b] = [a, b].map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>());
        let (Some(there), Some(back)) = (ranks(&a, &b), ranks(&b, &a)) else {
            return Err(TestCaseError::reject("all are the same"));
        };
        prop_assert!((there.p - back.p).abs() < 1e-12 && (there.size + back.size).abs() < 1e-12);
    }
}

#[test]
fn the_last_weeks_are_held_against_the_first_ones_and_the_months_before_once_there_are_enough() {
    let first = date(2026, 1, 1);
    let ready: Date = "2026-02-26".parse().expect("a date");
    assert_eq!(Spans::of(first, date(2026, 2, 25)), None, "too soon");
    let young = Spans::of(first, ready).expect("just enough");
    let reference = Span { from: first, until: date(2026, 1, 29) };
    assert_eq!((&young.against[..], young.recent.from), (&[(Against::FirstWeeks, reference)][..], reference.until));

    let grown = Spans::of(first, date(2026, 9, 1)).expect("enough");
    let [(Against::FirstWeeks, reference), (Against::MonthsBefore, months)] = grown.against[..] else {
        panic!("{grown:?}");
    };
    let days = |span: Span| i64::from(span.from.until(span.until).expect("a span").get_days());
    assert_eq!([reference, months, grown.recent].map(days), [REFERENCE, MONTHS, RECENT]);
    assert_eq!(reference.to_string(), "2026-01-01 to 2026-02-25");
    assert_eq!(months.until, grown.recent.from);
}

proptest! {
    /// No day is in two of them, and none is held against fewer days than the last weeks have.
    #[test]
    fn what_is_held_against_each_other_never_overlaps(age in 0..2000_i64) {
        let first = date(2026, 1, 1);
        let today = first.saturating_add(age.days());
        match Spans::of(first, today) {
            None => prop_assert!(age < 2 * RECENT),
            Some(Spans { recent, against }) => {
                let mut until = first;
                for span in against.iter().map(|(_, span)| *span).chain([recent]) {
                    prop_assert!(span.from >= until && span.until >= span.from.saturating_add(RECENT.days()));
                    until = span.until;
                }
                prop_assert_eq!(until, today);
            }
        }
    }
}

/// What is on record.
fn drift(sandbox: &Sandbox) -> Vec<Value> {
    let output = sandbox.output(&["report", "drift", "--format", "json"]);
    assert!(output.status.success(), "{}", words(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_change_of_the_last_weeks_is_told() {
    let sandbox = clinic();
    let before = drift(&sandbox);
    let whats: Vec<_> = before.iter().map(|row| row["what"].as_str().expect("a text")).collect();
    assert_eq!(whats, [["grades 0/1/2/3/4", "entropy", "agreement", "refusals"]; 2].concat());
    assert!(before[..4].iter().all(|row| row["against"] == "first weeks"), "{before:?}");
    assert!(before[4..].iter().all(|row| row["against"] == "months before"), "{before:?}");
    assert!(before.iter().all(|row| row["release"] == "ours"), "{before:?}");
    let knees = |days: &str| {
        let counted = format!(
            "SELECT count(*) FROM grades WHERE release = (SELECT sha256 FROM releases WHERE name = 'ours') AND {days}"
        );
        sandbox.count(&counted)
    };
    let recent = knees("graded_at >= date('now', '-28 days') AND graded_at < date('now')");
    let first = "(SELECT date(min(graded_at)) FROM grades first WHERE first.release = grades.release)";
    let reference = knees(&format!("graded_at >= {first} AND graded_at < date({first}, '+56 days')"));
    let months = knees("graded_at >= date('now', '-112 days') AND graded_at < date('now', '-28 days')");
    for (row, reference) in [(0, reference), (4, months)] {
        let counted = (before[row]["reference_knees"].clone(), before[row]["recent_knees"].clone());
        assert_eq!(counted, (json!(reference), json!(recent)));
    }

    // all of a sudden, everybody has a new knee, and the networks are sure of it
    let path = sandbox.state().join("ledger.db");
    let db = Connection::open(&path).expect("a ledger");
    db.execute("UPDATE grades SET grade = 0, entropy = 0.01 WHERE graded_at >= date('now', '-28 days')", [])
        .expect("changed");
    let judge = || Ledger::open(&path).expect("a ledger").judge_drift(Timestamp::now().to_zoned(TimeZone::UTC).date());
    judge().expect("judged");
    assert_eq!(drift(&sandbox), before, "a day is judged once");
    db.execute("DELETE FROM drift", []).expect("forgotten");
    judge().expect("judged");
    let after = drift(&sandbox);
    for row in [&after[..2], &after[4..6]].concat() {
        assert_eq!(row["verdict"], "changed", "{row}");
        assert!(row["p_adjusted"].as_f64().is_some_and(|p| p < 1e-6), "{row}");
    }
    assert_eq!(after[0]["recent"], "100/0/0/0/0 %");
    assert_eq!(after[1]["size"], -1.0, "all are lower");
    assert_eq!(after[2]["p"], before[2]["p"], "agreement is as it was");
    let column = |name: &str| after.iter().map(|row| row[name].as_str().expect(name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        column("reference_until")[4..],
        column("recent_from")[4..],
        "the months before end where the last weeks begin"
    );
    assert!(column("day").iter().all(|day| *day == sandbox_day(&db)), "{after:?}");
    let table = words(&sandbox.output(&["report", "drift"]));
    assert!(table.contains("grades 0/1/2/3/4") && table.contains("changed"), "{table}");
}

fn sandbox_day(db: &Connection) -> String {
    db.query_row("SELECT date('now')", [], |row| row.get(0)).expect("today")
}

#[test]
fn the_daemon_puts_it_on_record_once_there_is_enough_to_compare() {
    let sandbox = Sandbox::new();
    let daemon = sandbox.daemon();
    sandbox.drop_in("knee-left.png", &small_png(1));
    sandbox.until("SELECT count(*) FROM grades", 1);
    daemon.stop(Signal::TERM);
    assert_eq!(drift(&sandbox), Vec::<Value>::new(), "it is too soon");
    assert!(words(&sandbox.output(&["report", "drift"])).contains("nothing yet"));

    let db = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    let old = "UPDATE service SET since = strftime('%Y-%m-%dT00:00:00.000Z', 'now', '-140 days'); \
               UPDATE grades SET graded_at = strftime('%Y-%m-%dT00:00:00.000Z', 'now', '-140 days')";
    db.execute_batch(old).expect("it was long ago");
    let daemon = sandbox.daemon();
    sandbox.until("SELECT count(*) FROM report_drift WHERE verdict = 'too little to tell'", 8);
    daemon.stop(Signal::TERM);
}
