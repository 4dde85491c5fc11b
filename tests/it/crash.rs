//! Faults on purpose: the program killed before every durable step that it takes, the power lost there, and calls that fail.
//!
//! Instead of named places in the program, the kernel stops it at each call that makes something durable or gives it another
//! name; so no step can be forgotten, and the binary under test is the one that ships.
//!
//! While it stands before a step, its state folder is copied: what was written, which is what `kill -9` leaves behind, or what was
//! synced alone, by turns. From each copy the next start has to go on. (`kills` sends real signals.) Of the calls that fail, one in so
//! many is tried. `KELLGREND_CRASH_EVERY=1` tries all of both; a larger number does for a quick look.
#![cfg(target_arch = "x86_64")]

mod calls;
mod commands;
mod device;
mod disk;
mod errors;
mod film;
mod hang;
mod left;
mod mail;
mod start;
mod tracee;
mod tracer;
mod training;
mod upkeep;

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, files_below};
use kellgrend::audit::{Audit, audit};
use kellgrend::config::Folders;
use kellgrend::state::State;
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many starts at a time.
const SIDE_BY_SIDE: usize = 3;

/// A good film, the same bytes again, and what is no film at all. Every round has its own.
fn bring_films(sandbox: &Sandbox, round: usize) {
    let film = small_png(round as u32);
    for (name, bytes) in [("a.png", &film), ("again.png", &film), ("b.dcm", &format!("no film {round}").into_bytes())] {
        sandbox.drop_in(name, bytes);
    }
}

/// All of these rounds have ended, and nothing is on its way.
fn is_done(sandbox: &Sandbox, rounds: usize) -> bool {
    // After a power cut a file may be in both folders. If it is refused, the second one is refused as well, or is a duplicate if it
    // comes while the first one is still in work.
    let ended = "SELECT count(*) FROM (SELECT DISTINCT f.state, f.radiograph FROM files f \
                 WHERE f.state IN ('published', 'quarantined') OR f.state = 'duplicate' AND EXISTS \
                 (SELECT 1 FROM files p WHERE p.radiograph = f.radiograph AND p.state = 'published'))";
    let is_empty = |folder| files_below(&sandbox.state().join(folder)).is_empty();
    sandbox.count(ended) == 3 * rounds as i64
        && sandbox.count("SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')") == 0
        && is_empty("inbox")
        && is_empty("work")
}

/// Ledger and folders agree, and nothing is gone: `kellgrend check --ledger --strict` without a process of its own.
fn agreement(sandbox: &Sandbox, what: &str) -> Audit {
    let state = State::new(&sandbox.state(), &Folders::default()).expect("a state folder");
    let found = audit(&state).expect("a ledger");
    let is_sound = found.is_sound() && found.gone.is_empty();
    assert!(is_sound, "{what}: {found:#?}\n{:#?}\n{}", files_below(&sandbox.state()), sandbox.log());
    found
}

/// The daemon is ended, and all is as it must be: each film graded once, nothing lost, nothing torn.
fn is_as_it_must_be(sandbox: &Sandbox, rounds: usize, what: &str) {
    assert_eq!(agreement(sandbox, what).whole, rounds, "{what}: whole results");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), rounds as i64, "{what}");
    let refused = files_below(&sandbox.state().join("quarantine"));
    let reasons = refused.iter().filter(|path| path.to_string_lossy().ends_with(".reason.txt"));
    let reasons: Vec<_> = reasons.map(|path| std::fs::read_to_string(path).expect("a reason")).collect();
    assert!(refused.len() == 2 * rounds && reasons.len() == rounds, "{what}: {refused:?}");
    assert!(reasons.iter().all(|reason| reason.contains("not-an-image")), "{what}: {reasons:?}");
}

/// The next start brings films to their end that are there, or that `bring` brings.
fn next_start_goes_on(sandbox: &Sandbox, what: &str, bring: impl FnOnce(&Sandbox)) {
    let _ = std::fs::remove_file(sandbox.beside("daemon.log"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    bring(sandbox);
    let began = Instant::now();
    while !is_done(sandbox, 1) {
        assert!(began.elapsed() < Duration::from_secs(90), "{what}: it does not go on:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    is_as_it_must_be(sandbox, 1, what);
}

/// A sandbox with a copy of another's state folder.
fn copy_of(sandbox: &Sandbox, settings: &str) -> Sandbox {
    let copy = Sandbox::with(settings);
    copy_folder(&sandbox.state(), &copy.state());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status();
    assert!(done.is_ok_and(|status| status.success()), "{} cannot be copied", from.display());
}

/// A sandbox in which the daemon has been, so that what follows is the life of films and not the first start.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::with(QUICK);
    sandbox.grade_quickly();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    daemon.stop(Signal::TERM);
    sandbox
}

/// Says that one step in so many is tried.
const EVERY: &str = "KELLGREND_CRASH_EVERY";

/// One step in so many is tried.
fn every(usual: usize) -> usize {
    std::env::var(EVERY).map_or(usual, |text| text.parse().expect("a number"))
}

/// So many of the jobs at a time.
fn side_by_side<T: Send>(width: usize, jobs: impl IntoIterator<Item = T, IntoIter: Send>, act: impl Fn(T) + Sync) {
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().expect("no holder panics").next();
    std::thread::scope(|scope| {
        for _ in 0..width {
            scope.spawn(|| std::iter::from_fn(next).for_each(&act));
        }
    });
}
