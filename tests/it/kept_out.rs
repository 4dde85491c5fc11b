//! A whole retrain with nobody there whose release is worse than the one in service.

use crate::alone::{MINUTES, OF_SCHEDULE, settings, sixty_films_and_labels, succeeds};
use crate::sandbox::{Sandbox, words};
use crate::training::labelled;
use rustix::process::Signal;

#[test]
fn it_keeps_out_alone_what_is_worse() {
    let sandbox = Sandbox::with(&settings().replace("epochs = 3", "epochs = 1\nrate = 0.0"));
    sandbox.grade_quickly();
    let folder = sandbox.beside("knees");
    labelled(&folder, 12);
    let folder = folder.to_str().expect("UTF-8");
    let taught = ["train", folder, "--name", "taught", "--set", "start=release", "--set", "epochs=8"];
    succeeds(&sandbox, &[&taught[..], &["--set", "rate=0.001", "--only-folds", "1"]].concat());
    succeeds(&sandbox, &["models", "promote", "taught", "--why", "it knows phantoms"]);

    // what the schedule trains begins from chance and learns nothing
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sixty_films_and_labels(&sandbox);
    sandbox.until_within(OF_SCHEDULE, 1, MINUTES);
    println!("{}", words(&sandbox.output(&["report", "training", "--format", "json"])));
    let kept = "AND outcome = 'kept' AND reasons LIKE 'Quadratic kappa falls from%'";
    assert_eq!(sandbox.count(&format!("{OF_SCHEDULE} {kept}")), 1);
    let service = "SELECT count(*) FROM report_releases WHERE in_service AND name = 'taught'";
    assert_eq!(sandbox.count(service), 1, "the champion stays");
    daemon.stop(Signal::TERM);
}
