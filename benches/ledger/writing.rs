//! How long the ledger takes to write down a radiograph: claimed, graded by eight networks, published.

use kellgrend::digest::Digest;
use kellgrend::grade::{Probabilities, Vote};
use kellgrend::ledger::{
    Arrival, GradedKnee, Ledger, Origin, PictureRow, Prior, RadiographRow, ReleaseRow, StartRow, now,
};
use kellgrend::side::Side;
use std::path::Path;
use std::time::{Duration, Instant};

/// Radiographs a round.
const FILMS: u32 = 200;
const ROUNDS: u32 = 5;

/// A radiograph's time in each ledger, in turn; of some rounds the best, since whatever else the disk does only makes it slower.
pub fn time_of_a_radiograph<const N: usize>(ledgers: [&Path; N]) -> [Duration; N] {
    let mut writers = ledgers.map(Writer::open);
    let mut best = [Duration::MAX; N];
    for _ in 0..ROUNDS {
        for (best, writer) in best.iter_mut().zip(&mut writers) {
            let begun = Instant::now();
            (0..FILMS).for_each(|_| writer.write());
            *best = (*best).min(begun.elapsed() / FILMS);
        }
    }
    best
}

struct Writer {
    ledger: Ledger,
    runtime: tokio::runtime::Runtime,
    release: Digest,
    start: i64,
    films: u32,
}

impl Writer {
    fn open(path: &Path) -> Self {
        let ledger = Ledger::open(path).expect("a ledger");
        let release = Digest::of(b"measured");
        let row = ReleaseRow {
            sha256: release.to_string(),
            name: "measured".into(),
            vote: "mix".into(),
            members: 8,
            manifest: String::new(),
        };
        ledger.know_release(row).expect("a release");
        let start = StartRow { command: "run", device: "none".into(), settings: String::new(), missing: Vec::new() };
        let start = ledger.started(start).expect("a start");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { ledger, runtime, release, start, films: 0 }
    }

    fn write(&mut self) {
        let Self { ledger, runtime, release, start, films } = self;
        *films += 1;
        let digest = Digest::of(format!("measured {films}").as_bytes());
        let arrival = Arrival {
            digest,
            bytes: 1 << 20,
            kept: false,
            origin: Origin::Inbox,
            name: None,
            side_by_name: Side::Unknown,
            patient_by_name: None,
            seen_at: now(),
            settled_at: now(),
            start: *start,
        };
        let Prior::Claimed { file, .. } = ledger.claim(arrival).expect("on record") else {
            panic!("it has never come before")
        };
        let row = RadiographRow {
            format: "dicom".into(),
            coding: "raw".into(),
            width: 2048,
            height: 2048,
            identity: "none",
            ..Default::default()
        };
        let graded = ledger.graded(file, row, now(), vec![knee()], *release, *start);
        let recorded = runtime.block_on(graded).expect("on record");
        let pictures = ["map", "overlay"].map(|kind| PictureRow {
            grade_id: recorded[0].grade_id,
            kind,
            path: format!("{digest}/{kind}.png"),
            digest,
            bytes: 1 << 18,
        });
        runtime.block_on(ledger.published(file, *release, pictures.into())).expect("on record");
    }
}

/// What eight networks say that are all sure of grade 2.
fn knee() -> GradedKnee {
    let probabilities = Probabilities::softmax([0.0, 1.0, 3.0, 1.0, 0.0], 1.0);
    let vote =
        |member: usize| Vote { member: format!("member-{member}"), grade: probabilities.argmax(), probabilities };
    GradedKnee {
        side: Side::Left,
        grade: probabilities.argmax(),
        probabilities,
        agreement: 1.0,
        entropy: probabilities.entropy(),
        needs_review: Some(false),
        votes: (0..8).map(vote).collect(),
        missing: Vec::new(),
    }
}
