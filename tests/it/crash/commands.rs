//! Commands that change something beside the daemon: whatever they are killed before, they can be given again.

use super::left::left_before_each_step;
use super::{agreement, bring_films, copy_of, is_done, next_start_goes_on};
use crate::sandbox::{QUICK, Sandbox, words};
use kellgrend::ledger::Ledger;
use std::time::Duration;

const WEIGHTS: &str = "models/starter/shufflenet_v2_x2_0.safetensors";

/// A command, and what must be so once it was killed before a step, and then given again.
struct Case {
    name: &'static str,
    args: Vec<String>,
    /// What it may say when it is given again and there is nothing left to do; otherwise it succeeds.
    or_says: &'static str,
    /// Half of it is never seen.
    is_whole: fn(&Sandbox) -> bool,
    /// All of it is there.
    is_complete: fn(&Sandbox) -> bool,
}

fn cases(sandbox: &Sandbox) -> [Case; 4] {
    let path = |name: &str| sandbox.state().join(name).to_str().expect("UTF-8").to_owned();
    let (backup, weights) = (path("backup.db"), path(WEIGHTS));
    let args = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let verified = |sandbox: &Sandbox| sandbox.output(&["models", "verify"]).status.success();
    [
        Case {
            name: "retry",
            args: args(&["retry", "--all"]),
            or_says: "",
            is_whole: |_| true,
            // nothing else keeps a file in the inbox
            is_complete: |sandbox| crate::sandbox::files_below(&sandbox.inbox()).len() == 1,
        },
        Case {
            name: "backup",
            args: args(&["backup", &backup]),
            or_says: "is there already",
            is_whole: |sandbox| {
                let copy = sandbox.state().join("backup.db");
                !copy.exists()
                    || Ledger::read(&copy)
                        .is_ok_and(|db| db.query_row("SELECT count(*) FROM grades", [], |row| row.get(0)) == Ok(1))
            },
            is_complete: |sandbox| sandbox.state().join("backup.db").exists(),
        },
        Case {
            name: "models import",
            args: args(&["models", "import", &weights, "--name", "another"]),
            or_says: "exists already, and a release is never changed",
            is_whole: verified,
            is_complete: |sandbox| sandbox.output(&["models", "verify", "another"]).status.success(),
        },
        Case {
            name: "models promote",
            args: args(&["models", "promote", "mine"]),
            or_says: "",
            is_whole: |_| true,
            is_complete: |sandbox| {
                sandbox.count("SELECT count(*) FROM (SELECT release FROM report_service ORDER BY since DESC LIMIT 1) WHERE release = 'mine'") == 1
            },
        },
    ]
}

/// A film is graded, another file in quarantine, and a release waits to be put into service.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::with(QUICK);
    next_start_goes_on(&sandbox, "at first", |sandbox| bring_films(sandbox, 1));
    let weights = sandbox.state().join(WEIGHTS);
    let output = sandbox.output(&["models", "import", weights.to_str().expect("UTF-8"), "--name", "mine"]);
    assert!(output.status.success(), "{}", words(&output));
    sandbox
}

/// It is given again, and then all is as it must be.
fn again(sandbox: &Sandbox, case: usize, what: &str) {
    let Case { args, or_says, is_whole, is_complete, .. } = cases(sandbox).into_iter().nth(case).expect("it is there");
    assert!(is_whole(sandbox), "{what}: half of it is there");
    let output = sandbox.output(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let said = words(&output);
    assert!(output.status.success() || !or_says.is_empty() && said.contains(or_says), "{what}, again:\n{said}");
    assert!(is_complete(sandbox), "{what}, again:\n{said}");
    if !is_done(sandbox, 1) {
        next_start_goes_on(sandbox, what, |_| ());
    }
    agreement(sandbox, what);
}

#[test]
fn commands_that_were_killed_or_lost_their_power_are_given_again() {
    let prepared = prepared();
    for case in 0..cases(&prepared).len() {
        let name = cases(&prepared)[case].name;
        let sandbox = copy_of(&prepared, QUICK);
        let args = cases(&sandbox).into_iter().nth(case).expect("it is there").args;
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let steps = left_before_each_step(
            sandbox,
            (&args, QUICK),
            |_, traced| traced.wait_for(Duration::from_secs(90), || false),
            |left, what| again(left, case, &format!("{name}, {what}")),
        );
        let Some(steps) = steps else { return };
        println!("killed or without power before {steps} durable steps of {name}");
        assert!(steps >= 1, "{name}: the tracer does not see its steps");
    }
}
