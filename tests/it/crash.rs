//! The daemon killed before every durable step that it takes, and the power lost there.
//!
//! Instead of named places in the program, the kernel stops the daemon at each call that makes something durable or gives it
//! another name; so no step can be forgotten, and the binary under test is the one that ships.

mod disk;
#[cfg(target_arch = "x86_64")]
mod tracer;

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, files_below, words};
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;

/// A good film, the same bytes again, and what is no film at all.
const ALL: i64 = 3;

/// Everything that came has ended, and nothing is on its way.
const ENDED: &str = "SELECT count(*) FROM (SELECT DISTINCT f.state, r.sha256 FROM files f JOIN radiographs r ON r.id = f.radiograph \
                     WHERE f.state IN ('published', 'duplicate', 'quarantined'))";

/// A state folder in which the daemon has been, so that what follows is the life of films and not the first start.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    daemon.stop(Signal::TERM);
    sandbox
}

fn with_films(prepared: &Sandbox) -> Sandbox {
    let sandbox = Sandbox::with(QUICK);
    copy(&prepared.state(), &sandbox.state());
    for (name, bytes) in [("a.png", small_png(1)), ("again.png", small_png(1)), ("b.dcm", b"no film".to_vec())] {
        std::fs::write(sandbox.inbox().join(name), bytes).expect("written");
    }
    sandbox
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status();
    assert!(done.is_ok_and(|status| status.success()), "{} cannot be copied", from.display());
}

/// The next start brings all to its end: each film graded once, nothing lost, nothing torn.
fn goes_on(sandbox: &Sandbox, what: &str) {
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(ENDED, ALL);
    sandbox.until("SELECT count(*) FROM files WHERE state IN ('claimed', 'graded')", 0);
    let began = std::time::Instant::now();
    let left = || files_below(&sandbox.inbox()).len() + files_below(&sandbox.state().join("work")).len();
    while left() > 0 {
        assert!(began.elapsed().as_secs() < 60, "{what}: something stays behind:\n{}", daemon.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    daemon.stop(Signal::TERM);
    let checked = sandbox.output(&["check", "--ledger"]);
    let said = words(&checked);
    assert!(checked.status.success() && !said.contains("gone"), "{what}:\n{said}");
    assert!(said.contains("1 whole result"), "{what}:\n{said}");
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 1, "{what}");
    let reason = sandbox.state().join("quarantine");
    let reason = files_below(&reason).into_iter().find(|path| path.to_string_lossy().ends_with(".reason.txt"));
    let reason = std::fs::read_to_string(reason.expect("a reason")).expect("read");
    assert!(reason.contains("not-an-image"), "{what}: {reason:?}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn killed_or_without_power_before_any_durable_step_it_goes_on() {
    let prepared = prepared();
    let mut steps = 0;
    for step in 1.. {
        let sandbox = with_films(&prepared);
        let unpowered = Sandbox::with(QUICK);
        let Some(ended) = tracer::run(&sandbox, &unpowered, step) else {
            return eprintln!("skipped: no process can be traced here");
        };
        goes_on(&sandbox, &format!("killed before step {step}, {ended:?}"));
        if ended == tracer::End::ByItself {
            break;
        }
        goes_on(&unpowered, &format!("without power before step {step}, {ended:?}"));
        steps = step;
    }
    println!("killed and without power before each of {steps} durable steps");
    assert!(steps >= 15, "only {steps} steps: the tracer does not see them");
}

#[test]
#[cfg(target_arch = "x86_64")]
#[ignore = "the child of the test above, which traces the daemon"]
fn traced() {
    tracer::child();
}
