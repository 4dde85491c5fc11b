//! Real faults: hostile bytes, aborts, full disks, damaged and foreign ledgers.

use crate::ensemble::members::huge;
use crate::films::small_png;
use crate::hostile;
use crate::kills::is_whole;
use crate::sandbox::{QUICK, Sandbox, files_below, names_in, words};
use crate::small_disk::SmallDisk;
use rustix::process::{Resource, Rlimit, Signal};
use std::collections::HashSet;
use std::time::Duration;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";

#[test]
fn two_hundred_hostile_files_are_two_hundred_reasons() {
    let sandbox = Sandbox::new();
    let files = hostile::files();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for (name, bytes) in &files {
        sandbox.drop_in(name, bytes);
    }
    let distinct: HashSet<_> = files.iter().map(|(_, bytes)| kellgrend::digest::Digest::of(bytes)).collect();
    assert!(distinct.len() >= 200, "{} hostile files", distinct.len());
    sandbox.until_within(
        "SELECT count(*) FROM files WHERE state IN ('quarantined', 'duplicate')",
        files.len() as i64,
        Duration::from_secs(180),
    );
    assert_eq!(
        sandbox.count(
            "SELECT count(DISTINCT sha256) FROM report_refused WHERE state = 'quarantined' AND length(reason) > 15"
        ),
        distinct.len() as i64
    );
    // what a decoder knows of them has come through, and none has taken one down
    assert_eq!(sandbox.count("SELECT count(*) FROM report_refused WHERE code LIKE 'decoder-%'"), 0);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 0);
    sandbox.drop_in("good.png", &small_png(1));
    sandbox.until(PUBLISHED, 1);
    assert!(daemon.is_alive());
    let peak = daemon.memory_kib("VmHWM");
    assert!(peak < 1 << 20, "the daemon's memory peaked at {peak} KiB");
}

#[test]
fn a_file_that_takes_the_process_down_twice_is_quarantined_and_one_that_was_there_is_not() {
    // films wait for company, so that the process can be aborted while it has them
    let sandbox = Sandbox::with(&QUICK.replace("device = \"cpu\"", "device = \"cpu\"\nbatch = 8\nbatch_wait = \"5s\""));
    let under_way = "SELECT count(*) FROM files WHERE state = 'claimed'";
    for seed in 0..2 {
        sandbox.drop_in(&format!("{seed}.png"), &small_png(2200 + seed));
    }
    let abort = |signal| {
        let mut daemon = sandbox.daemon();
        daemon.ready();
        sandbox.until(under_way, 2);
        std::thread::sleep(Duration::from_millis(1500));
        let pid = rustix::process::Pid::from_raw(daemon.pid() as i32).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("signalled");
        let began = std::time::Instant::now();
        while daemon.is_alive() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not die of {signal:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    // whoever is killed is not suspected
    abort(rustix::process::Signal::KILL);
    abort(rustix::process::Signal::KILL);
    assert_eq!(sandbox.count("SELECT sum(aborts) FROM files"), 0);
    abort(rustix::process::Signal::ABORT);
    // a start that cannot put it on record leaves that to the next one
    let ledger = |sql| {
        rusqlite::Connection::open(sandbox.state().join("ledger.db")).and_then(|db| db.execute_batch(sql)).expect("sql")
    };
    ledger("CREATE TRIGGER full BEFORE UPDATE OF aborts ON files BEGIN SELECT raise(ABORT, 'no room'); END");
    let refused = sandbox.output(&["run"]);
    assert!(!refused.status.success() && words(&refused).contains("no room"), "{}", words(&refused));
    ledger("DROP TRIGGER full");
    abort(rustix::process::Signal::SEGV);
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state = 'quarantined' AND reason_code = 'took-down'", 1);
    sandbox.until(PUBLISHED, 1);
    assert_eq!(sandbox.count("SELECT max(aborts) FROM files"), 2);
    daemon.stop(rustix::process::Signal::TERM);
    // who wants it tried again has it tried again, with a clean slate
    let retried = sandbox.output(&["retry", "--all"]);
    assert!(retried.status.success(), "{}", words(&retried));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 2);
}

#[test]
fn a_full_disk_is_waited_out() {
    let sandbox = Sandbox::with(&format!("{QUICK}\n[grading]\nkeep_free = \"0 B\"\n"));
    let Some(disk) = SmallDisk::below(&sandbox, 24) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    // The starter takes 11 MB; what is left but for a crumb is taken by somebody else.
    disk.fill_but_for(300_000);
    for seed in 0..3 {
        std::fs::write(sandbox.inbox().join(format!("{seed}.png")), small_png(2000 + seed)).expect("a crumb is enough");
    }
    std::thread::sleep(Duration::from_secs(4));
    assert!(daemon.is_alive());
    assert!(sandbox.count(PUBLISHED) < 3, "the disk was not full");
    assert!(daemon.log().contains("trying again"), "{}", daemon.log());
    disk.give_back();
    sandbox.until(PUBLISHED, 3);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 3);
    assert_eq!(sandbox.results().len(), 3);
    assert!(sandbox.results().iter().all(|folder| is_whole(folder)));
}

#[test]
fn with_little_room_nothing_is_taken_until_there_is_more() {
    let sandbox = Sandbox::with(&format!("{QUICK}\n[grading]\nkeep_free = \"4 MiB\"\n"));
    let Some(disk) = SmallDisk::below(&sandbox, 24) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    disk.fill_but_for(3 << 20);
    std::fs::write(sandbox.inbox().join("a.png"), small_png(2100)).expect("written");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 0, "it was taken, though there is room for it");
    assert!(daemon.log().contains("nothing more is taken from the inbox"), "{}", daemon.log());
    disk.give_back();
    sandbox.until(PUBLISHED, 1);
    drop(daemon);
}

#[test]
fn without_descriptors_it_waits_and_goes_on_when_there_are_some() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let pid = rustix::process::Pid::from_raw(daemon.pid() as i32).expect("a pid");
    let usual = rustix::process::getrlimit(Resource::Nofile);
    let limit = |current| {
        let limits = Rlimit { current, ..usual };
        rustix::process::prlimit(Some(pid), Resource::Nofile, limits).expect("limited");
    };
    // none more than it has, one more, two more: films fail at other places of their way
    for spare in 0..6 {
        let mut open: HashSet<u64> = HashSet::new();
        for entry in std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("descriptors").flatten() {
            open.extend(entry.file_name().to_str().and_then(|number| number.parse::<u64>().ok()));
        }
        let mut free = (0..).filter(|number| !open.contains(number));
        limit(free.nth(spare));
        for film in 0..2 {
            let seed = 2300 + 10 * spare as u32 + film;
            sandbox.drop_in(&format!("{seed}.png"), &small_png(seed));
        }
        std::thread::sleep(Duration::from_millis(2500));
        limit(usual.current);
    }
    assert!(daemon.log().contains("Too many open files"), "{}", daemon.log());
    sandbox.until(PUBLISHED, 12);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 12);
    assert_eq!(files_below(&sandbox.inbox()).len() + files_below(&sandbox.state().join("work")).len(), 0);
    assert!(sandbox.results().len() == 12 && sandbox.results().iter().all(|folder| is_whole(folder)));
    daemon.stop(Signal::TERM);
}

#[test]
fn folders_that_become_read_only_are_waited_for() {
    let elsewhere = Sandbox::new();
    let Some(disk) = SmallDisk::below(&elsewhere, 24) else { return };
    let folder = |name: &str| elsewhere.state().join(name);
    let folders: String =
        ["inbox", "outbox", "archive", "quarantine"].map(|name| format!("{name} = {:?}\n", folder(name))).concat();
    let sandbox = Sandbox::with(&format!("{QUICK}\n[grading]\nkeep_free = \"0 B\"\n[folders]\n{folders}"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    // before films are claimed, and while they are graded
    for (round, moment) in [(0, 0), (1, 300), (2, 500), (3, 700)] {
        for film in 0..3 {
            let seed = 2400 + 10 * round + film;
            elsewhere.drop_in(&format!("{seed}.png"), &small_png(seed));
        }
        elsewhere.drop_in(&format!("{round}.txt"), format!("no film {round}").as_bytes());
        std::thread::sleep(Duration::from_millis(moment));
        disk.remount("ro");
        std::thread::sleep(Duration::from_secs(3));
        disk.remount("rw");
    }
    assert!(daemon.log().contains("Read-only file system"), "{}", daemon.log());
    sandbox.until(PUBLISHED, 12);
    sandbox.until("SELECT count(*) FROM files WHERE state = 'quarantined'", 4);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 12);
    assert_eq!(files_below(&folder("inbox")).len() + files_below(&sandbox.state().join("work")).len(), 0);
    let results = names_in(&folder("outbox"));
    assert!(results.len() == 12 && results.iter().all(|folder| is_whole(folder)), "{results:?}");
    daemon.stop(Signal::TERM);
}

/// As where a device computes nonsense: no film is to blame for that.
#[test]
fn networks_that_answer_no_numbers_to_anything_condemn_no_film() {
    let sandbox = Sandbox::new();
    let weights = huge(&sandbox.beside(""));
    let weights = format!("shufflenet_v2_x2_0={}", weights.display());
    let output = sandbox.output(&["models", "import", &weights, "--name", "huge", "--image-size", "224"]);
    assert!(output.status.success(), "{}", words(&output));
    let refused = sandbox.output(&["models", "use", "huge"]);
    let text = words(&refused);
    assert!(refused.status.code() == Some(3) && text.contains("the release \"huge\" cannot grade"), "{text}");
    // what the settings name is not tried out
    let settings = sandbox.beside("kellgrend.toml");
    let before = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, before.replace("[ensemble]", "[ensemble]\nrelease = \"huge\"")).expect("written");
    sandbox.drop_in("a.png", &small_png(1));
    let output = sandbox.output(&["run"]);
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    assert!(words(&output).contains("a number that is not finite"), "{}", words(&output));
    assert_eq!(files_below(&sandbox.state().join("work")).len(), 1);

    std::fs::write(&settings, before).expect("written");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 1);
    daemon.stop(Signal::TERM);
}

#[test]
fn a_damaged_ledger_is_refused_and_kept() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.state().join("ledger.db"), [b'x'; 8192]).expect("written");
    let output = sandbox.output(&["run"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("is damaged") && words.contains("left as it is"), "{words}");
    assert_eq!(std::fs::read(sandbox.state().join("ledger.db")).expect("kept"), [b'x'; 8192]);
}

#[test]
fn a_ledger_of_a_newer_version_is_refused() {
    let sandbox = Sandbox::new();
    assert!(
        sandbox.output(&["grade", sandbox.beside("kellgrend.toml").to_str().expect("UTF-8")]).status.code() == Some(1)
    );
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute("INSERT INTO refinery_schema_history VALUES (999, 'future', '2030-01-01T00:00:00Z', '1')", [])
        .expect("sql");
    drop(db);
    for command in ["run", "check"] {
        let output = sandbox.output(&[command]);
        let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(3), "{words}");
        assert!(words.contains("does not fit this version"), "{words}");
    }
}
