//! What the daemon does beside grading: lists of labels are taken in or refused, and what was kept for its time goes.

use super::left::left_before_each_step;
use super::{agreement, copy_of};
use crate::films::small_png;
use crate::retention::{TERMS, kept, long_ago, terms};
use crate::sandbox::{QUICK, Sandbox, files_below};
use kellgrend::digest::Digest;
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};

/// A list of one label for a film that has not come yet.
fn good() -> String {
    format!("sha256,grade,reader\n{},3,B\n", Digest::of(&small_png(9)))
}

/// No list of labels.
const BAD: &str = "sha256,grade,reader\nx,9,B\n";

/// Where a list is afterwards.
fn end_of(list: &str, folder: &str, ending: &str) -> String {
    format!("{folder}/{}.{ending}", Digest::of(list.as_bytes()))
}

/// All is done that is due, and noted.
fn is_done(sandbox: &Sandbox) -> bool {
    let lists = sandbox.state().join("labels");
    let mut wanted = [end_of(&good(), "taken", "csv"), end_of(BAD, "refused", "csv"), end_of(BAD, "refused", "txt")]
        .map(|name| lists.join(name));
    wanted.sort();
    let mut there = files_below(&lists);
    there.sort();
    there == wanted && kept(sandbox) == [1, 0, 0] && sandbox.count("SELECT count(*) FROM report_removed") == 4
}

fn is_as_it_must_be(sandbox: &Sandbox, what: &str) {
    agreement(sandbox, what);
    assert_eq!(sandbox.count("SELECT count(*) FROM report_labels"), 2, "{what}");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 2, "{what}");
    let reason = sandbox.state().join("labels").join(end_of(BAD, "refused", "txt"));
    let reason = fs::read_to_string(reason).expect("a reason");
    assert!(reason.contains("Nothing of it was taken in"), "{what}: {reason:?}");
}

/// The next start does what is left to be done.
fn next_start_goes_on(sandbox: &Sandbox, what: &str) {
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let began = Instant::now();
    while !is_done(sandbox) {
        let there = files_below(&sandbox.state().join("labels"));
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it does not go on: {there:?}\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    is_as_it_must_be(sandbox, what);
}

#[test]
fn labels_and_retention_go_on_where_they_were_killed_or_lost_their_power() {
    let settings = terms(&format!("{TERMS}\nremove = true"));
    let prepared = long_ago(QUICK);
    let lists = prepared.state().join("labels");
    fs::write(lists.join("good.csv"), good()).expect("written");
    fs::write(lists.join("bad.csv"), BAD).expect("written");
    let steps = left_before_each_step(
        copy_of(&prepared, &settings),
        (&["run"], &settings),
        |sandbox, traced| traced.wait_for(Duration::from_secs(90), || is_done(sandbox)),
        next_start_goes_on,
    );
    let Some(steps) = steps else { return };
    println!("killed or without power before {steps} durable steps of labels and retention");
    assert!(steps >= 15, "only {steps} steps: the tracer does not see them");
}
