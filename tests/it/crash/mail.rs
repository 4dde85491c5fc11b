//! A mail that waits, and the server that takes it.

use super::tracer::{Plan, Traced};
use super::{copy_of, every, kill_at_steps, leftovers};
use crate::mail::open_settings;
use crate::sandbox::{QUICK, Sandbox};
use crate::smtp::{Manners, Smtp, closed_port};
use rustix::process::Signal;
use std::time::Duration;

const SENT: &str = "SELECT count(*) FROM report_mail WHERE state = 'sent'";

fn settings(port: u16) -> String {
    format!("{QUICK}\n{}[mail.alerts]\nquarantined = 0\ndisk = \"1 B\"\n", open_settings(port))
}

/// A mail that no server has taken.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::with(&settings(closed_port()));
    let daemon = sandbox.daemon();
    sandbox.drop_in("a.txt", b"no film");
    sandbox.until_at_least("SELECT attempts FROM mails", 1);
    daemon.stop(Signal::TERM);
    sandbox
}

/// The next start sends what is not known to be sent. Copies are the same to the byte.
fn next_start_sends(sandbox: &Sandbox, server: &Smtp, what: &str) {
    let (is_sent, before) = (sandbox.count(SENT) == 1, server.taken().len());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(SENT, 1);
    daemon.stop(Signal::TERM);
    let taken: Vec<_> = server.taken().iter().map(|mail| mail.words()).collect();
    assert_eq!(taken.len(), before + usize::from(!is_sent), "{what}");
    assert!(taken.iter().all(|mail| *mail == taken[0]), "{what}: {taken:?}");
}

#[test]
fn a_mail_is_sent_whatever_its_sender_was_killed_before() {
    let prepared = prepared();
    let killed = kill_at_steps((1..).step_by(every(1)), |step| {
        let [server, other] = [(); 2].map(|()| Smtp::new(Manners::default()));
        let settings = [&server, &other].map(|server| settings(server.port()));
        let (sandbox, unpowered) = (copy_of(&prepared, &settings[0]), Sandbox::with(&settings[1]));
        let mut traced = Traced::start(&sandbox, &["run"], Plan::killed_before(step, &unpowered));
        traced.wait_for(Duration::from_secs(90), || sandbox.count(SENT) == 1);
        let report = traced.end()?;
        for (left, what) in leftovers(step, &report, &sandbox, &unpowered) {
            let is_on = std::ptr::eq(left, &sandbox);
            next_start_sends(left, if is_on { &server } else { &other }, &what);
            assert!(!is_on || !server.taken().is_empty(), "{what}: on record as sent, and never was");
        }
        Some(report)
    });
    let Some(killed) = killed else { return };
    println!("killed or without power before {killed} durable steps of a start that sends a mail");
    assert!(killed * every(1) >= 5, "only {killed} steps: the tracer does not see them");
}
