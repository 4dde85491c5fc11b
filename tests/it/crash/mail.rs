//! A mail that waits, and the server that takes it.

use super::copy_of;
use super::left::Copies;
use super::tracer::{End, Traced};
use crate::mail::open_settings;
use crate::sandbox::{QUICK, Sandbox};
use crate::smtp::{Manners, Smtp, closed_port};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
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
fn next_start_sends(sandbox: &Sandbox, sent: &str, what: &str) {
    let (is_sent, server) = (sandbox.count(SENT) == 1, Smtp::new(Manners::default()));
    std::fs::write(sandbox.beside("kellgrend.toml"), settings(server.port())).expect("settings");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(SENT, 1);
    daemon.stop(Signal::TERM);
    let taken: Vec<_> = server.taken().iter().map(|mail| mail.words()).collect();
    assert_eq!(taken.len(), usize::from(!is_sent), "{what}");
    assert!(taken.iter().all(|mail| mail == sent), "{what}: {taken:?}");
}

#[test]
fn a_mail_is_sent_whatever_its_sender_was_killed_before() {
    let server = Arc::new(Smtp::new(Manners::default()));
    let settings = settings(server.port());
    let sandbox = copy_of(&prepared(), &settings);
    let copies = Copies::new(&settings);
    // how many mails the server had before each step
    let had: Arc<Mutex<BTreeMap<usize, usize>>> = Arc::default();
    let plan = copies.plan({
        let (had, server) = (had.clone(), server.clone());
        move |moment| {
            had.lock().expect("no holder panics").insert(moment.step, server.taken().len());
            true
        }
    });
    let traced = Traced::start(&sandbox, &["run"], plan);
    traced.wait_for(Duration::from_secs(90), || sandbox.count(SENT) == 1);
    let Some(report) = traced.end() else { return };
    let steps = report.steps.len();
    assert_eq!((report.end, server.taken().len()), (End::Exited(0), 1), "{}", sandbox.log());
    let sent = server.taken()[0].words();
    copies.check(|left| {
        let had = had.lock().expect("no holder panics")[&left.step];
        assert!(left.sandbox.count(SENT) <= had as i64, "{}: on record as sent, and never was", left.what);
        next_start_sends(&left.sandbox, &sent, &left.what);
    });
    println!("killed or without power before {steps} durable steps of a start that sends a mail");
    assert!(steps >= 5, "only {steps} steps: the tracer does not see them");
}
