//! What `[identity]` lets be kept of a patient, and that the rest is forgotten.

use crate::daemon::record;
use crate::films::{dicom_of, small_png};
use crate::sandbox::{QUICK, Sandbox};
use rustix::process::Signal;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";

#[test]
fn the_identity_setting_decides_what_the_ledger_keeps() {
    for (setting, patient) in [("none", None), ("plain", Some("PID-1"))] {
        let sandbox = Sandbox::with(&format!("{QUICK}\n[identity]\nkeep = \"{setting}\"\n"));
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.drop_in("a.dcm", &dicom_of("Doe^Jane", "PID-1", 42));
        sandbox.until(PUBLISHED, 1);
        let kept: (Option<String>, Option<String>) = sandbox
            .ledger()
            .query_row("SELECT patient, patient_name FROM radiographs", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("a row");
        assert_eq!(kept, (patient.map(str::to_owned), patient.map(|_| "Doe^Jane".to_owned())), "{setting}");
        assert_eq!(record(&sandbox.results()[0]).patient.is_some(), patient.is_some());
    }
}

#[test]
fn a_name_that_may_not_be_kept_any_more_is_forgotten_with_what_is_in_work() {
    let keep = |setting: &str| format!("{QUICK}\n[identity]\nkeep = \"{setting}\"\n");
    let slow = keep("plain").replace("device = \"cpu\"", "device = \"cpu\"\nbatch = 8\nbatch_wait = \"60s\"");
    for setting in ["none", "pseudonym"] {
        let sandbox = Sandbox::with(&slow);
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.drop_in("Doe_1234L.png", &small_png(1));
        sandbox.until("SELECT count(*) FROM files WHERE state = 'claimed' AND name = 'Doe_1234L.png'", 1);
        daemon.kill();
        std::fs::write(sandbox.beside("kellgrend.toml"), keep(setting)).expect("settings");
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.until(PUBLISHED, 1);
        assert_eq!(record(&sandbox.results()[0]).file.source_name, None, "{setting}");
        let left = "SELECT count(*) FROM files WHERE name IS NOT NULL OR patient_by_name IS NOT NULL";
        assert_eq!(sandbox.count(left), 0, "{setting}");
        daemon.stop(Signal::TERM);
    }
}
