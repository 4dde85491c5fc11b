//! The units: what systemd itself says of them, where there is one, else each test says so and passes; and what a service is sent.

use crate::films::small_png;
use crate::sandbox::Sandbox;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Where systemd's own rating begins to say "medium" is 5; we promise half of it.
const EXPOSURE: f64 = 2.5;

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

fn text(name: &str) -> String {
    fs::read_to_string(units().join(name)).expect("a unit")
}

/// The units as `make install` writes them, below a prefix that has the program; of the templates an instance.
fn installed() -> TempDir {
    let prefix = tempfile::tempdir().expect("a folder");
    fs::create_dir(prefix.path().join("bin")).expect("made");
    symlink(env!("CARGO_BIN_EXE_kellgrend"), prefix.path().join("bin/kellgrend")).expect("linked");
    for (from, to) in [
        ("kellgrend.service", "kellgrend.service"),
        ("kellgrend-archive@.service", "kellgrend-archive@srv-films.service"),
        ("kellgrend-archive@.timer", "kellgrend-archive@srv-films.timer"),
    ] {
        let unit = text(from).replace("@PREFIX@", &prefix.path().display().to_string());
        fs::write(prefix.path().join(to), unit).expect("written");
    }
    prefix
}

/// The tool's answer, or a visible word that it is missing or too old.
fn ask(tool: &str, args: &[&str], paths: &[PathBuf]) -> Option<Output> {
    match Command::new(tool).args(args).args(paths).env("SYSTEMD_COLORS", "0").output() {
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("unrecognized option") => {
            eprintln!("skipped: this {tool} is too old for {}", args.join(" "));
            None
        }
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: {tool} cannot be started: {error}");
            None
        }
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let prefix = installed();
    let names = ["kellgrend.service", "kellgrend-archive@srv-films.service", "kellgrend-archive@srv-films.timer"];
    let paths = names.map(|name| prefix.path().join(name));
    let Some(output) = ask("systemd-analyze", &["verify", "--man=no"], &paths) else { return };
    // what it says of other units of this machine is not ours
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let of_ours: Vec<_> = said.lines().filter(|line| line.contains("kellgrend")).collect();
    assert!(of_ours.is_empty(), "{of_ours:?}");
    let Some(output) = ask("systemd-sysusers", &["--dry-run"], &[units().join("sysusers.conf")]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn little_is_open_to_a_service_that_was_taken_over() {
    let prefix = installed();
    for name in ["kellgrend.service", "kellgrend-archive@srv-films.service"] {
        let args = ["security", "--offline=true", "--no-pager"];
        let Some(output) = ask("systemd-analyze", &args, &[prefix.path().join(name)]) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let rated = said.lines().find_map(|line| line.split_once("Overall exposure level for")?.1.split_once(": "));
        let exposure: f64 =
            rated.and_then(|(_, rating)| rating.split_whitespace().next()?.parse().ok()).expect("an exposure level");
        assert!(exposure <= EXPOSURE, "{name} has exposure {exposure}:\n{said}");
    }
}

/// systemd has no common part for two services; so that they stay alike, what locks in the one locks in the other.
#[test]
fn both_services_are_locked_in_alike() {
    // what an archive's differs in, and why the unit says
    let differing = ["StateDirectory", "RestrictAddressFamilies", "ProtectHome"];
    let locks = |name: &str| -> Vec<String> {
        let begins = ["Protect", "Private", "Restrict", "SystemCall", "Device", "Capability", "NoNew", "Lock", "UMask"];
        let begins = [&begins[..], &["Ambient", "RemoveIPC", "Keyring", "LimitCORE", "CacheDirectory"]].concat();
        let text = text(name);
        let lines = text.lines().filter(|line| begins.iter().any(|begin| line.starts_with(begin)));
        let mut lines: Vec<_> =
            lines.filter(|line| !differing.iter().any(|key| line.starts_with(key))).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let daemon = locks("kellgrend.service");
    assert!(daemon.len() > 25, "{daemon:?}");
    assert_eq!(daemon, locks("kellgrend-archive@.service"));
}

/// Whoever owns a folder is somebody that systemd-sysusers makes.
#[test]
fn folders_belong_to_those_who_are_made() {
    let users = text("sysusers.conf");
    let made: Vec<&str> = users
        .lines()
        .filter(|line| line.starts_with("u ") || line.starts_with("g "))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let folders = text("tmpfiles.conf");
    let folders: Vec<Vec<&str>> =
        folders.lines().filter(|line| line.starts_with("d ")).map(|line| line.split_whitespace().collect()).collect();
    assert!(folders.len() >= 4);
    for folder in folders {
        let [_, path, mode, user, group, _] = folder.as_slice() else { panic!("{folder:?}") };
        assert!(path.starts_with("/var/lib/kellgrend") && made.contains(user) && made.contains(group), "{folder:?}");
        assert!(mode.ends_with('0') || *mode == "0751", "no door for everybody: {folder:?}");
    }
}

#[test]
fn a_hangup_ends_no_service() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let pid = rustix::process::Pid::from_raw(daemon.pid() as i32).expect("a pid");
    rustix::process::kill_process(pid, Signal::HUP).expect("signalled");
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 1);
    assert!(daemon.is_alive() && daemon.log().contains("SIGHUP changes nothing"), "{}", daemon.log());
    daemon.stop(Signal::TERM);
}
