//! The real program: what it mails, and that neither `kill -9` nor a curious reader gets anything out of it.

use super::{at, open_settings};
use crate::films::{dicom_of, small_png};
use crate::sandbox::{QUICK, Sandbox, words};
use crate::small_disk::SmallDisk;
use crate::smtp::{Manners, Smtp, closed_port};
use kellgrend::ledger::Ledger;
use kellgrend::mail::{Office, Signs};
use rusqlite::Connection;
use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";
const QUARANTINED: &str = "SELECT count(*) FROM files WHERE state = 'quarantined'";

/// Two files that cannot be graded make an alert.
fn sandbox(port: u16) -> Sandbox {
    Sandbox::with(&sharp_settings(port))
}

/// A server, and a clinic that is told by it of what goes beyond this limit.
fn told(limit: &str) -> (Smtp, Sandbox) {
    let server = Smtp::new(Manners::default());
    let limits = format!("[mail.alerts]\n{limit}\ndisk = \"1 B\"\n");
    let sandbox = Sandbox::with(&format!("{QUICK}\n{}{limits}", open_settings(server.port())));
    (server, sandbox)
}

fn sharp_settings(port: u16) -> String {
    let limits = "[mail.alerts]\nquarantined = 1\ndisk = \"1 B\"\n";
    format!("{QUICK}\n{}{limits}", open_settings(port))
}

#[test]
fn kill_9_between_writing_and_sending_loses_no_mail_and_doubles_none() {
    let port = closed_port();
    let sandbox = sandbox(port);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.txt", b"no film");
    sandbox.drop_in("b.txt", b"no film either");
    sandbox.until_at_least("SELECT attempts FROM mails WHERE kind = 'quarantine'", 1);
    // no server, and it grades all the same
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until(PUBLISHED, 1);
    daemon.kill();

    let server = Smtp::at(port, Manners::default());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM report_mail WHERE state = 'sent'", 1);
    daemon.kill();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("b.png", &small_png(2));
    sandbox.until(PUBLISHED, 2);
    daemon.stop(Signal::TERM);
    assert_eq!(server.taken().len(), 1, "one copy");
    assert!(server.taken()[0].subject().ends_with("2 files quarantined within an hour"));

    let listed = words(&sandbox.output(&["mail"]));
    assert!(
        listed.contains("quarantine") && listed.contains("sent") && !listed.contains("could not be graded"),
        "{listed}"
    );
}

/// Where nothing can be written, nobody can note that a mail went.
#[test]
fn a_mail_that_goes_while_the_disk_is_full_goes_once() {
    let port = closed_port();
    let settings = sharp_settings(port).replace("1 B", "0 B");
    let sandbox = Sandbox::with(&format!("{settings}[grading]\nkeep_free = \"0 B\"\n"));
    let Some(disk) = SmallDisk::below(&sandbox, 24) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.txt", b"no film");
    sandbox.drop_in("b.txt", b"no film either");
    sandbox.until_at_least("SELECT attempts FROM mails WHERE kind = 'quarantine'", 1);
    disk.fill_but_for(0);
    let server = Smtp::at(port, Manners::default());
    let began = Instant::now();
    while server.taken().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "it is never tried again");
        disk.fill_but_for(0);
        std::thread::sleep(Duration::from_millis(50));
    }
    // a few looks
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sandbox.count("SELECT count(*) FROM mails WHERE sent_at IS NULL"), 1, "the disk was not full");
    disk.give_back();
    sandbox.until("SELECT count(*) FROM mails WHERE sent_at IS NULL", 0);
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn an_inbox_that_has_gone_away_is_told_of() {
    let (server, sandbox) = told("inbox = \"1s\"");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::fs::rename(sandbox.inbox(), sandbox.state().join("away")).expect("renamed");
    sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'inbox' AND state = 'sent'", 1);
    assert_eq!(server.taken().len(), 1);
    assert!(server.taken()[0].subject().ends_with("the inbox cannot be read"));
}

#[test]
fn results_that_cannot_be_written_are_told_of() {
    let (server, sandbox) = told("results = \"1s\"");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    // as little can be written there as to a share that is full or read-only
    let outbox = sandbox.state().join("outbox");
    std::fs::rename(&outbox, sandbox.beside("away")).expect("renamed");
    std::fs::write(&outbox, "in the way").expect("written");
    sandbox.drop_in("1.png", &small_png(1));
    // that others are refused meanwhile does not hide it
    let told = "SELECT count(*) FROM report_mail WHERE kind = 'results' AND state = 'sent'";
    sandbox.until("SELECT count(*) FROM files WHERE state = 'graded'", 1);
    for i in 0..100 {
        if sandbox.count(told) > 0 {
            break;
        }
        sandbox.drop_in(&format!("{i}.txt"), format!("no film {i}").as_bytes());
        std::thread::sleep(Duration::from_millis(300));
    }
    sandbox.until(told, 1);
    assert!(sandbox.count(QUARANTINED) > 0);
    assert!(server.taken()[0].subject().ends_with("results cannot be written"));
    std::fs::remove_file(&outbox).expect("removed");
    std::fs::rename(sandbox.beside("away"), &outbox).expect("back");
    sandbox.until(PUBLISHED, 1);
    daemon.stop(Signal::TERM);
}

#[test]
fn a_fault_that_ended_the_process_is_told_by_the_next_start() {
    let (server, sandbox) = told("");
    for _ in 0..2 {
        let mut daemon = sandbox.daemon();
        daemon.ready();
        let pid = rustix::process::Pid::from_raw(daemon.pid() as i32).expect("a pid");
        rustix::process::kill_process(pid, Signal::ABORT).expect("signalled");
        while daemon.is_alive() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'start' AND state = 'sent'", 1);
    daemon.stop(Signal::TERM);
    // who was ended while it sent sends the same mail again
    let told = sandbox.count("SELECT count(*) FROM mails WHERE kind = 'start'");
    assert_eq!(told, 1, "the second one within six hours is only counted");
    assert!(server.taken()[0].subject().ends_with("it went down, and runs again"));
}

#[test]
fn a_refused_list_of_labels_is_told_of() {
    let (server, sandbox) = told("");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::fs::write(sandbox.state().join("labels/jane doe.csv"), "who,what\njane doe,2\n").expect("written");
    sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'labels' AND state = 'sent'", 1);
    daemon.stop(Signal::TERM);
    let mail = &server.taken()[0];
    assert!(mail.subject().ends_with("a list of labels is refused"), "{}", mail.subject());
    assert!(!mail.words().contains("jane"), "a mail says who it is about");
}

#[test]
fn no_mail_says_who_a_patient_is() {
    const SECRETS: [&str; 3] = ["zyxwvut", "qwertz", "7355608"];
    let server = Smtp::new(Manners::default());
    let sandbox = Sandbox::with(&format!(
        "{QUICK}\n[identity]\nkeep = \"plain\"\n{}[mail.alerts]\nquarantined = 1\ndisk = \"4000 TiB\"\n",
        open_settings(server.port())
    ));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let film = dicom_of("Zyxwvut^Qwertz", "PID-7355608", 40);
    sandbox.drop_in("Zyxwvut_Qwertz_7355608.dcm", &film);
    sandbox.drop_in("Qwertz_broken.dcm", &film[..film.len() - 99]);
    sandbox.drop_in("Qwertz_notes.txt", b"Zyxwvut Qwertz, PID-7355608, came in limping");
    sandbox.until(PUBLISHED, 1);
    sandbox.until(QUARANTINED, 2);
    sandbox.until("SELECT count(*) FROM report_mail WHERE state = 'sent'", 2);
    daemon.stop(Signal::TERM);
    assert_eq!(
        sandbox.count("SELECT count(*) FROM radiographs WHERE patient_name LIKE 'Zyxwvut%'"),
        1,
        "the ledger knows"
    );

    // and the digest of the day, with everything else that can be told, by a later clock
    let path = sandbox.state().join("ledger.db");
    let text = format!("{}digest = \"0 7 * * *\"\n[mail.alerts]\nidle = \"1h\"\n", open_settings(server.port()));
    let ledger = Ledger::open(&path).expect("a ledger");
    let open = |now| Office::open(&super::settings(&text), ledger.clone(), path.clone(), "clinic-a".into(), now);
    open(at("2020-01-01T00:00:00Z")).expect("a mail room");
    let (later, since) = (at("2090-01-01T12:00:00Z"), Some(at("2090-01-01T00:00:00Z")));
    let mut office = open(later).expect("a mail room").expect("that is open");
    office
        .look(&Signs { inbox_unread_since: since, networks_fail_since: since, ..super::low_disk() }, later)
        .expect("a look");
    let taken = server.taken();
    let kinds = sandbox.count("SELECT count(DISTINCT kind) FROM mails WHERE sent_at IS NOT NULL");
    assert!(kinds >= 5 && taken.len() >= 6, "{kinds} kinds, {} mails", taken.len());
    let digest = taken.iter().find(|mail| mail.subject().contains("1 knee graded")).expect("a digest");
    assert!(digest.words().contains("truncated"), "it tells of the refusals");
    for mail in &taken {
        let words = mail.words().to_lowercase();
        for secret in SECRETS {
            assert!(!words.contains(secret), "{secret} is in {words}");
        }
    }
}

#[test]
fn a_start_that_is_refused_is_told_once_in_a_while_whatever_keeps_it_from_starting() {
    let server = Smtp::new(Manners::default());
    let sandbox = sandbox(server.port());
    let ledger = sandbox.state().join("ledger.db");
    std::fs::write(&ledger, "this is no database, however long one looks at it").expect("written");
    for _ in 0..3 {
        let output = sandbox.output(&["run"]);
        assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].subject().ends_with("it does not run"));
    assert!(taken[0].words().contains("is damaged"), "{}", taken[0].words());

    // another instance is at work: somebody at a terminal sees that, and nobody who is not at one
    std::fs::remove_file(&ledger).expect("removed");
    std::fs::remove_file(sandbox.state().join("refused-starts.json")).expect("removed");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for _ in 0..2 {
        assert_eq!(sandbox.output(&["run"]).status.code(), Some(3));
    }
    assert_eq!(server.taken().len(), 2);
    assert!(server.taken()[1].subject().ends_with("another process has its state folder"));
}

#[test]
fn what_no_server_took_of_a_start_that_was_refused_is_sent_by_the_next_that_succeeds() {
    let port = closed_port();
    let sandbox = sandbox(port);
    let ledger = sandbox.state().join("ledger.db");
    std::fs::write(&ledger, "this is no database, however long one looks at it").expect("written");
    for _ in 0..2 {
        let output = sandbox.output(&["run"]);
        assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    }
    std::fs::remove_file(&ledger).expect("removed");
    let server = Smtp::at(port, Manners::default());
    for _ in 0..2 {
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'start' AND state = 'sent'", 1);
        daemon.stop(Signal::TERM);
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].words().contains("is damaged") && taken[0].words().contains("once more"), "{}", taken[0].words());
    // that was told, so that the next refusal waits its time
    let away = sandbox.state().join("away.db");
    std::fs::rename(&ledger, &away).expect("renamed");
    std::fs::write(&ledger, "this is no database, however long one looks at it").expect("written");
    assert_eq!(sandbox.output(&["run"]).status.code(), Some(3));
    assert_eq!(server.taken().len(), 1);
    // and what was told long ago, as an earlier version noted it, is told again and on record
    let file = sandbox.state().join("refused-starts.json");
    std::fs::write(&file, r#"{"start":{"at":"2020-01-01T00:00:00Z","untold":6}}"#).expect("written");
    assert_eq!(sandbox.output(&["run"]).status.code(), Some(3));
    assert!(server.taken()[1].words().contains("6 times more"), "{}", server.taken()[1].words());
    std::fs::rename(&away, &ledger).expect("renamed");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'start' AND state = 'sent'", 2);
    daemon.stop(Signal::TERM);
    assert_eq!(server.taken().len(), 2);
}

#[test]
fn a_gpu_that_is_gone_is_told_though_the_cpu_grades() {
    if Path::new("/dev/nvidia0").exists() {
        eprintln!("skipped: this machine has a GPU");
        return;
    }
    let server = Smtp::new(Manners::default());
    let once_on_a_gpu = |settings: &str| {
        let sandbox = Sandbox::with(&sharp_settings(server.port()).replace("device = \"cpu\"", settings));
        let mut daemon = sandbox.daemon();
        daemon.ready();
        daemon.stop(Signal::TERM);
        let writer = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
        writer.execute("UPDATE starts SET device = 'GPU 0 NVIDIA H100, 16 CPU threads, bf16'", []).expect("written");
        sandbox
    };
    let sandbox = once_on_a_gpu("device = \"cpu\"");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until(PUBLISHED, 1);
    daemon.stop(Signal::TERM);
    assert_eq!(server.taken().len(), 0, "the CPU was asked for");

    let sandbox = once_on_a_gpu("device = \"auto\"");
    // a start on the CPU that ended before it could write a mail
    let writer = Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    let columns = "version, command, settings, settings_sha256, started_at, missing";
    let later = format!("INSERT INTO starts ({columns}, device) SELECT {columns}, 'CPU, 2 threads, bf16' FROM starts");
    writer.execute(&later, []).expect("written");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM report_mail WHERE kind = 'gpu' AND state = 'sent'", 1);
    daemon.stop(Signal::TERM);
    assert_eq!(server.taken().len(), 1);
    let mail = &server.taken()[0];
    assert!(mail.subject().ends_with("the GPU is gone, and the CPU grades"), "{}", mail.subject());
    assert!(mail.words().contains("NVIDIA H100"), "{}", mail.words());
}

#[test]
fn settings_that_are_refused_are_told_where_those_of_mail_are_sound() {
    let server = Smtp::new(Manners::default());
    let sandbox = sandbox(server.port());
    let refused = |settings: &str| {
        std::fs::write(sandbox.beside("kellgrend.toml"), settings).expect("settings");
        let output = sandbox.output(&["run"]);
        assert_eq!(output.status.code(), Some(2), "{}", words(&output));
        server.taken().len()
    };
    let settings = sharp_settings(server.port());
    assert_eq!(refused(&settings.replace("quarantined", "quarantine")), 0, "[mail] itself is wrong");
    assert_eq!(refused(&settings.replace("scan_every", "scan_very")), 1);
    assert_eq!(refused(&settings.replace("scan_every", "scan_very")), 1, "told already");
    assert!(server.taken()[0].words().contains("scan_very"), "{}", server.taken()[0].words());
}

#[test]
fn a_test_mail_goes_at_once_and_the_servers_answer_is_said() {
    let server = Smtp::new(Manners::default());
    let told = |settings: &str| {
        let output = Sandbox::with(settings).output(&["mail", "--test"]);
        (output.status.code(), words(&output))
    };
    let (code, said) = told(&open_settings(server.port()));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("has taken the test mail to it@clinic.example: 250 2.0.0 queued as 12345"), "{said}");
    assert_eq!(server.taken().len(), 1);
    let (code, said) = told(&open_settings(server.port()).replace("it@", "nobody@"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("550") && said.contains("no such user"), "{said}");
    let (code, said) = told(&open_settings(closed_port()));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("refused") && said.contains("port"), "{said}");
    let (code, said) = told("");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("[mail]"), "{said}");
}

#[test]
fn a_systemd_credential_holds_the_password() {
    let server = Smtp::new(Manners { login: Some(("knees", "right horse")), ..Manners::default() });
    let sandbox = Sandbox::with(&format!(
        "{}user = \"knees\"\npassword_file = \"smtp-password\"\n",
        open_settings(server.port())
    ));
    let missing = words(&sandbox.output(&["mail", "--test"]));
    assert!(missing.contains("LoadCredential=NAME:FILE"), "{missing}");
    // what stands there may be the password itself
    let unknown = sandbox.command(&["mail", "--test"]).env("CREDENTIALS_DIRECTORY", sandbox.beside("")).output();
    let unknown = words(&unknown.expect("the binary starts"));
    assert!(unknown.contains("password_file"), "{unknown}");
    assert!(!missing.contains("smtp-password") && !unknown.contains("smtp-password"), "{missing}{unknown}");
    std::fs::write(sandbox.beside("smtp-password"), "right horse\n").expect("written");
    let output = sandbox.command(&["mail", "--test"]).env("CREDENTIALS_DIRECTORY", sandbox.beside("")).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(server.taken().len(), 1);
}
