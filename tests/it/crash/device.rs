//! Networks that fail on everything, as when a device is lost: on a CPU they do where oneDNN may not run the code that it has just
//! made ("could not create a primitive").

use super::calls::Calls;
use super::tracer::{End, Fault, Faults, Plan, Traced};
use crate::films::small_png;
use crate::mail::open_settings;
use crate::sandbox::{QUICK, Sandbox, files_below, words};
use crate::smtp::{Manners, Smtp};
use nix::libc::EACCES;
use rustix::process::Signal;
use std::time::Duration;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";

/// Four tries, and the pauses between them.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn a_lost_device_ends_the_daemon_and_the_next_start_grades_what_waited() {
    let server = Smtp::new(Manners::default());
    let sandbox = Sandbox::with(&format!("{QUICK}\n{}", open_settings(server.port())));
    for seed in 0..3 {
        sandbox.drop_in(&format!("{seed}.png"), &small_png(seed));
    }
    let plan = Plan { faults: Faults::From(vec![1], Fault(EACCES)), ..Plan::watched(Calls::Code) };
    let traced = Traced::start(&sandbox, &["run"], plan);
    traced.wait_for(PATIENCE, || false);
    let Some(report) = traced.ended() else { return };
    let log = sandbox.log();
    assert!(!report.faults.is_empty() && report.end == End::Exited(3), "{:?}:\n{log}", report.end);
    assert!(log.contains("the device may be lost"), "{log}");
    let mails: Vec<_> = server.taken().iter().map(|mail| mail.words()).collect();
    assert!(mails.len() == 1 && mails[0].contains("the device may be lost"), "{mails:?}");
    assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE state <> 'claimed'"), 0, "it is no film's fault");
    assert_eq!(files_below(&sandbox.inbox()).len() + files_below(&sandbox.state().join("work")).len(), 3);

    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 3);
    daemon.stop(Signal::TERM);
    let told = "SELECT count(*) FROM report_mail WHERE kind = 'device' AND state = 'sent'";
    assert_eq!((sandbox.count(told), server.taken().len()), (1, 1), "on record, and not sent again");
    assert!(server.taken()[0].subject().ends_with("the device is lost"), "{}", server.taken()[0].subject());
    let checked = sandbox.output(&["check", "--ledger"]);
    assert!(checked.status.success(), "{}", words(&checked));
}
