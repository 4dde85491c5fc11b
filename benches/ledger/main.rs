//! How long each report takes of one month in a ledger of a million knees, how large the ledger is, and whether writing into it takes
//! longer than into an empty one.

mod clinic;
mod writing;

use clinic::{Clinic, DAYS};
use kellgrend::ledger::{Ledger, REPORTS};
use std::hint::black_box;
use std::time::{Duration, Instant};

const KNEES: i64 = 1_000_000;
/// The best of so many is told: whatever else the machine does only makes it slower.
const ROUNDS: usize = 3;

fn main() {
    let knees = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(KNEES);
    let mut folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    folder.disable_cleanup(std::env::args().any(|word| word == "--keep"));
    let ledger = folder.path().join("ledger.db");
    let until = "2026-10-15T00:00:00Z".parse().expect("a time");
    let begun = Instant::now();
    Clinic { knees, until, seed: 1 }.fill(&ledger).expect("a ledger");
    println!("{knees} knees over {DAYS} days, made in {:.0?}", begun.elapsed());
    let bytes = ledger.metadata().expect("its size").len();
    println!("{:.1} MB, {:.0} bytes a knee", bytes as f64 / 1e6, bytes as f64 / knees as f64);
    let db = Ledger::read(&ledger).expect("a ledger to read");
    if std::env::args().any(|word| word == "--keep") {
        println!("kept: {}", ledger.display());
    }
    println!("{:<17}{:>10}{:>12}", "report", "rows", "ms");
    for report in REPORTS {
        let mut best = (Duration::MAX, 0);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let (name, time) = (report.name, report.time);
            let month = format!("SELECT * FROM report_{name} WHERE {time} >= '2026-09-01' AND {time} < '2026-10-01'");
            let mut query = db.prepare(&month).expect("a report");
            let (columns, mut found, mut rows) = (query.column_count(), query.query([]).expect("rows"), 0);
            while let Some(row) = found.next().expect("a row") {
                (0..columns).for_each(|i| drop(black_box(row.get_ref(i))));
                rows += 1;
            }
            best = best.min((begun.elapsed(), rows));
        }
        println!("{:<17}{:>10}{:>12.1}", report.name, best.1, best.0.as_secs_f64() * 1000.0);
    }
    drop(db);
    let empty = folder.path().join("empty.db");
    let [large, empty] = writing::time_of_a_radiograph([&ledger, &empty]);
    println!(
        "a radiograph is written in {:.2} ms, and in {:.2} ms into an empty ledger: {:.2} times as long",
        large.as_secs_f64() * 1000.0,
        empty.as_secs_f64() * 1000.0,
        large.as_secs_f64() / empty.as_secs_f64()
    );
}
