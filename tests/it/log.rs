//! The log: one line a file, as text, JSON or journal entries; and what repeats itself is said less and less often.

use crate::films::{dicom_of, small_png};
use crate::sandbox::{QUICK, Sandbox};
use kellgrend::log::{Say, Sayings};
use rustix::process::Signal;
use serde_json::Value;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const ENDED: &str = "SELECT count(*) FROM files WHERE state IN ('published', 'duplicate', 'quarantined')";

#[test]
fn what_is_said_again_and_again_is_said_less_and_less_often_with_a_count() {
    let (mut sayings, start) = (Sayings::default(), Instant::now());
    // an inbox that is away for a day, looked for every 15 s
    let said: Vec<(u64, u64)> = (0..86_400 / 15)
        .map(|look| look * 15)
        .filter_map(|at| match sayings.judge("the inbox is away".into(), start + Duration::from_secs(at)) {
            Say::It { left_out } => Some((at, left_out)),
            Say::Nothing => None,
        })
        .collect();
    assert_eq!(said[..4], [(0, 0), (60, 3), (180, 7), (420, 15)]);
    assert!(said.len() < 15, "{said:?}");
    assert!(said.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 6 * 3600), "never silent for long");
    let counted: u64 = said.iter().map(|(_, left_out)| left_out + 1).sum();
    let last = said.last().expect("said").0;
    assert_eq!(counted, last / 15 + 1, "each is counted once");
}

#[test]
fn other_words_are_said_at_once_and_old_ones_again_when_the_trouble_comes_back() {
    let (mut sayings, start) = (Sayings::default(), Instant::now());
    let mut say = |words: &str, at: u64| sayings.judge(words.to_owned(), start + Duration::from_secs(at));
    assert_eq!(say("a", 0), Say::It { left_out: 0 });
    assert_eq!(say("b", 1), Say::It { left_out: 0 });
    assert_eq!(say("a", 2), Say::Nothing);
    assert_eq!(say("a", 1000), Say::It { left_out: 1 });
    assert_eq!(say("a", 1059), Say::Nothing, "after a long silence it begins anew");
    assert_eq!(say("a", 1060), Say::It { left_out: 1 });
    // however many there are, memory is bounded, and each is said when it is new
    for number in 0..10_000 {
        assert_eq!(say(&number.to_string(), 2000), Say::It { left_out: 0 });
    }
}

#[test]
fn each_file_has_one_line_with_outcome_reason_and_times() {
    let sandbox = Sandbox::with(&QUICK.replace("level =", "format = \"json\"\nlevel ="));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.dcm", &dicom_of("Nobody^None", "0", 5));
    sandbox.drop_in("b.txt", b"no image");
    sandbox.drop_in("c.txt", b"no image either");
    sandbox.until(ENDED, 3);
    sandbox.drop_in("again.dcm", &dicom_of("Nobody^None", "0", 5));
    sandbox.until(ENDED, 4);
    let (log, began) = (|| daemon.log(), Instant::now());
    let ends = || -> Vec<Value> {
        let lines = log();
        let lines = lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
        lines.filter(|line: &Value| line.get("outcome").is_some()).collect()
    };
    while ends().len() < 4 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let ends = ends();
    let of = |outcome: &str| -> Vec<&Value> { ends.iter().filter(|line| line["outcome"] == outcome).collect() };
    assert_eq!((of("graded").len(), of("quarantined").len(), of("duplicate").len()), (1, 2, 1), "{ends:?}");
    let graded = of("graded")[0];
    assert!(graded["grades"].as_str().is_some_and(|grades| grades.starts_with("right ")), "{graded}");
    for field in ["decode_ms", "networks_ms", "publish_ms", "total_ms"] {
        assert!(graded[field].is_u64(), "{field} in {graded}");
    }
    assert!(graded["total_ms"].as_u64() >= Some(200), "the settle time is part of it: {graded}");
    assert!(of("quarantined").iter().all(|line| line["code"].is_string() && line["sha256"].is_string()), "{ends:?}");
    daemon.stop(Signal::TERM);
}

/// A daemon in a name space whose journal is ours, and that journal's socket; `stream` makes what it is told of standard error from
/// what is so. None where there can be none.
fn beside_a_journal(sandbox: &Sandbox, stream: impl Fn(String) -> String) -> Option<(UnixDatagram, Child)> {
    let journal = sandbox.beside("journal");
    std::fs::create_dir(&journal).expect("a folder");
    let socket = UnixDatagram::bind(journal.join("socket")).expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    // a /run of its own, whose journal is ours
    let own =
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind \"$JOURNAL\" /run/systemd/journal";
    let may = Command::new("unshare").args(["-m", "sh", "-c", own]).env("JOURNAL", &journal).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there can be no name space of mounts here");
        return None;
    }
    let log = std::fs::File::create(sandbox.beside("daemon.log")).expect("a log");
    let meta = log.metadata().expect("its inode");
    let run = sandbox.command(&["run"]);
    let daemon = Command::new("unshare")
        .args(["-m", "sh", "-c", &format!("{own} && exec \"$@\""), "sh"])
        .arg(run.get_program())
        .args(run.get_args())
        .env("JOURNAL", &journal)
        .env("JOURNAL_STREAM", stream(format!("{}:{}", meta.dev(), meta.ino())))
        .stderr(log)
        .spawn()
        .expect("it starts");
    Some((socket, daemon))
}

#[test]
fn the_journal_gets_fields_where_standard_error_leads_there() {
    let sandbox = Sandbox::new();
    let Some((socket, mut daemon)) = beside_a_journal(&sandbox, |own| own) else { return };
    sandbox.drop_in("a.png", &small_png(1));
    let mut bytes = vec![0; 1 << 16];
    let entry = loop {
        let Ok(length) = socket.recv(&mut bytes) else { break None };
        let entry = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if entry.contains("KELLGREND_OUTCOME") {
            break Some(entry);
        }
    };
    let _ended = (daemon.kill(), daemon.wait());
    let entry = entry.unwrap_or_else(|| panic!("{:?}", std::fs::read_to_string(sandbox.beside("daemon.log"))));
    for field in ["KELLGREND_SHA256", "KELLGREND_GRADES", "KELLGREND_NETWORKS_MS", "SYSLOG_IDENTIFIER", "PRIORITY"] {
        assert!(entry.contains(field), "{field} is missing in {entry:?}");
    }
    assert_eq!(std::fs::read_to_string(sandbox.beside("daemon.log")).expect("a log"), "", "said once, to the journal");
}

#[test]
fn a_journal_that_standard_error_does_not_lead_to_gets_nothing() {
    let sandbox = Sandbox::new();
    let Some((socket, mut daemon)) = beside_a_journal(&sandbox, |_| "1:1".to_owned()) else { return };
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until(ENDED, 1);
    let log = || std::fs::read_to_string(sandbox.beside("daemon.log")).expect("a log");
    let began = Instant::now();
    while !log().contains("outcome=\"graded\"") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ended = (daemon.kill(), daemon.wait());
    socket.set_nonblocking(true).expect("it does not wait");
    assert!(socket.recv(&mut [0; 16]).is_err(), "the journal has heard of it");
}
