//! When has a file settled? The state machine, with the clock in the test's hand.

use kellgrend::intake::{Settle, Stamp, Verdict};
use proptest::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

fn stamp(len: u64, mtime: i128) -> Stamp {
    Stamp { inode: (1, 1), len, mtime }
}

#[test]
fn settled_after_quiet_and_not_before() {
    let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
    assert_eq!(settle.observe(path, stamp(1, 1), start), Verdict::Wait);
    assert_eq!(settle.observe(path, stamp(1, 1), start + QUIET - Duration::from_millis(1)), Verdict::Wait);
    assert_eq!(settle.observe(path, stamp(1, 1), start + QUIET), Verdict::Settled);
}

#[test]
fn a_kept_modification_time_does_not_hide_growth_nor_a_kept_size_a_change_nor_either_a_replacement() {
    let other = Stamp { inode: (1, 2), ..stamp(1, 1) };
    for changed in [stamp(2, 1), stamp(1, 2), other] {
        let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
        settle.observe(path, stamp(1, 1), start);
        assert_eq!(settle.observe(path, changed, start + QUIET), Verdict::Wait);
        assert_eq!(settle.observe(path, changed, start + QUIET + QUIET), Verdict::Settled);
    }
}

#[test]
fn a_time_in_the_future_or_long_past_means_nothing() {
    for mtime in [0, i128::from(i64::MAX)] {
        let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
        assert_eq!(settle.observe(path, stamp(1, mtime), start), Verdict::Wait);
        assert_eq!(settle.observe(path, stamp(1, mtime), start + QUIET), Verdict::Settled);
    }
}

#[test]
fn an_incomplete_file_is_given_up_after_its_time_unless_it_changes() {
    let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
    settle.observe(path, stamp(1, 1), start);
    assert_eq!(settle.observe(path, stamp(1, 1), start + QUIET), Verdict::Settled);
    assert!(!settle.incomplete(path, start + QUIET), "it may still grow");
    assert_eq!(settle.observe(path, stamp(1, 1), start + QUIET + QUIET), Verdict::Wait);
    assert_eq!(settle.next_due(), Some(start + PATIENCE));
    // The rest arrives: it settles anew.
    settle.observe(path, stamp(2, 1), start + Duration::from_secs(30));
    assert_eq!(settle.observe(path, stamp(2, 1), start + Duration::from_secs(33)), Verdict::Settled);
    assert!(!settle.incomplete(path, start + Duration::from_secs(33)));
    assert_eq!(settle.observe(path, stamp(2, 1), start + Duration::from_secs(90)), Verdict::Settled);
    assert!(settle.incomplete(path, start + Duration::from_secs(90)), "given up");
}

#[test]
fn what_cannot_be_taken_is_tried_less_and_less_often() {
    let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
    settle.observe(path, stamp(1, 1), start);
    assert_eq!(settle.troubled(), 0);
    let (mut now, mut pauses) = (start + QUIET, Vec::new());
    for _ in 0..7 {
        assert_eq!(settle.observe(path, stamp(1, 1), now), Verdict::Settled);
        settle.trouble(path, &std::io::Error::other("may not be moved"), now);
        let due = settle.next_due().expect("it is tried again");
        pauses.push((due - now).as_secs());
        now = due;
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300]);
    assert_eq!(settle.troubled(), 1);
    // who mends it by touching it has it tried at once
    settle.observe(path, stamp(1, 2), now);
    assert_eq!(settle.observe(path, stamp(1, 2), now + QUIET), Verdict::Settled);
}

#[test]
fn what_vanished_is_forgotten() {
    let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
    settle.observe(path, stamp(1, 1), start);
    settle.keep_only(std::iter::empty());
    assert!(settle.seen(path).is_none());
    assert_eq!(settle.observe(path, stamp(1, 1), start + QUIET), Verdict::Wait, "it is new again");
}

/// So many files come into a folder at a time; whether each is of an archive.
fn come(settle: &mut Settle, folder: &str, files: std::ops::Range<usize>, now: Instant) -> Vec<bool> {
    let paths: Vec<_> = files.map(|file| Path::new(folder).join(file.to_string())).collect();
    for path in &paths {
        settle.observe(path, stamp(1, 1), now);
    }
    paths.iter().map(|path| settle.is_of_an_archive(path)).collect()
}

#[test]
fn what_comes_in_a_crowd_is_an_archive_and_what_comes_alone_is_not() {
    let (mut settle, start) = (Settle::new(Path::new("in"), QUIET, PATIENCE), Instant::now());
    assert!(!come(&mut settle, "in", 0..100, start).contains(&true), "a busy hour");
    assert!(!come(&mut settle, "in/one/two", 100..200, start).contains(&true), "another folder is another sender");
    assert!(!come(&mut settle, "in", 200..300, start + Duration::from_secs(6)).contains(&true), "and the next");
    // a folder for each study, and no faster than a slow line
    let archive = |i: usize| (format!("in/archive/{i}"), i..i + 1, start + Duration::from_millis(500) * i as u32);
    let came: Vec<_> = (0..101).map(archive).map(|(folder, file, now)| come(&mut settle, &folder, file, now)).collect();
    assert!(came[..100].iter().all(|is_archive| is_archive == &[false]), "who can know what is still to come");
    assert_eq!(came[100], [true]);
    assert!(settle.is_of_an_archive(Path::new("in/archive/0/0")), "the first ones were of it, too");
    // a change is no new arrival, and what is gone counts no more
    settle.observe(Path::new("in/0"), stamp(2, 2), start);
    assert!(!settle.is_of_an_archive(Path::new("in/0")));
    settle.keep_only(std::iter::empty());
    assert_eq!(come(&mut settle, "in/archive", 0..1, start), [false]);
}

proptest! {
    /// Whatever the sizes and whenever the looks: settled means unchanged since at least the quiet time.
    #[test]
    fn nothing_settles_that_changed_within_the_quiet_time(looks in proptest::collection::vec((0u64..3, 0u64..5000), 1..40)) {
        let (mut settle, path, start) = (Settle::new(Path::new(""), QUIET, PATIENCE), Path::new("a"), Instant::now());
        let (mut now, mut last, mut changed) = (start, None, start);
        for (len, pause) in looks {
            now += Duration::from_millis(pause);
            if last != Some(len) {
                (last, changed) = (Some(len), now);
            }
            let settled = settle.observe(path, stamp(len, 1), now) == Verdict::Settled;
            prop_assert_eq!(settled, now - changed >= QUIET);
        }
    }
}
