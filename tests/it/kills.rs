//! `kill -9` at any moment, again and again, on one state folder.

use crate::films::small_png;
use crate::sandbox::{Sandbox, files_below, names_in, words};
use kellgrend::digest::Digest;
use kellgrend::outbox::record::ResultRecord;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";

/// `KELLGREND_KILLS=10000` makes hours of it; `KELLGREND_SEED` chooses other moments.
#[test]
fn kill_9_at_any_moment_loses_nothing_and_grades_nothing_twice() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let kills = number("KELLGREND_KILLS", 50) as u32;
    let mut random = number("KELLGREND_SEED", 0x9e37_79b9_7f4a_7c15);
    let files = 2 * kills;
    let sandbox = Sandbox::new();
    sandbox.grade_quickly();
    let mut whole = HashSet::new();
    for kill in 0..kills {
        // half of all at once, as an archive comes, and the rest as days go by
        let come = if kill == 0 { 0..kills } else { kills + kill - 1..kills + kill };
        come.for_each(|seed| sandbox.drop_in(&format!("{seed}.png"), &small_png(1000 + seed)));
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Moments spread over start, settling, grading and publishing; every other one counts from when it watches, so that a
        // busy machine does not see starts alone.
        let mut daemon = sandbox.daemon_with(&[("KELLGREND_LOG", "info")]);
        if kill % 2 == 0 {
            daemon.ready();
        }
        std::thread::sleep(Duration::from_millis((random >> 33) % 1000));
        daemon.kill();
        std::fs::remove_file(sandbox.beside("daemon.log")).expect("a log");
        for folder in results(&sandbox) {
            assert!(whole.contains(&folder) || is_whole(&folder), "a torn result: {}", folder.display());
            whole.insert(folder);
        }
        if kill % 100 == 99 {
            println!("{} kills, {} of {} films graded", kill + 1, whole.len(), kills + kill);
        }
    }
    sandbox.drop_in("last.png", &small_png(1000 + files - 1));
    assert!(!whole.is_empty(), "the kills came too early to mean anything");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until_within(PUBLISHED, i64::from(files), Duration::from_secs(180 + u64::from(files)));
    daemon.stop(rustix::process::Signal::TERM);

    let digests: HashSet<_> = (0..files).map(|seed| Digest::of(&small_png(1000 + seed))).collect();
    assert_eq!(digests.len(), files as usize, "the films differ");
    for table in ["radiographs", "files", "knees", "grades", "votes"] {
        assert_eq!(sandbox.count(&format!("SELECT count(*) FROM {table}")), i64::from(files), "{table}");
    }
    let checked = sandbox.output(&["check", "--ledger", "--strict"]);
    assert!(checked.status.success(), "{}", words(&checked));
    let results = sandbox.results();
    assert_eq!(results.len(), files as usize, "one result each, no rubble");
    assert!(results.iter().all(|folder| is_whole(folder)));
    let graded: HashSet<_> = results.iter().map(|folder| record(folder).expect("a record").file.sha256).collect();
    assert!(graded == digests, "each film has its result");
    assert_eq!(files_below(&sandbox.inbox()).len() + files_below(&sandbox.state().join("work")).len(), 0);
    let archived: HashSet<_> = files_below(&sandbox.state().join("archive"))
        .iter()
        .map(|path| Digest::of(&std::fs::read(path).expect("an original")))
        .collect();
    assert!(archived == digests, "each film is in the archive, to the byte");
}

/// What is in the outbox, but for what is still being written.
fn results(sandbox: &Sandbox) -> Vec<PathBuf> {
    let is_done = |path: &PathBuf| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    names_in(&sandbox.state().join("outbox")).into_iter().filter(is_done).collect()
}

fn record(folder: &Path) -> Option<ResultRecord> {
    serde_json::from_slice(&std::fs::read(folder.join("result.json")).ok()?).ok()
}

pub fn is_whole(folder: &Path) -> bool {
    record(folder).is_some_and(|record| {
        record.knees.iter().all(|knee| {
            knee.pictures.as_ref().is_some_and(|pictures| {
                [&pictures.overlay, &pictures.map].iter().all(|name| image::open(folder.join(name)).is_ok())
            })
        })
    })
}
