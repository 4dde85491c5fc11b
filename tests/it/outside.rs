//! The daemon seen from outside: page, health, metrics, status.json, systemd.

use crate::films::small_png;
use crate::sandbox::{Daemon, QUICK, Sandbox, words};
use kellgrend::outside::Snapshot;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

const DOCUMENTED: &str = include_str!("../../docs/metrics.md");

/// Settings with a page at whichever port is free.
pub fn with_page() -> String {
    format!("{QUICK}\n[http]\nlisten = \"127.0.0.1:0\"\n")
}

/// Where the daemon's page is.
pub fn page(daemon: &Daemon) -> String {
    let began = Instant::now();
    loop {
        if let Some((_, rest)) = daemon.log().split_once("the page is at http://") {
            return rest.split('/').next().expect("an address").to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no page:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the server answers to these bytes.
fn ask(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    // it may have answered, and closed, before all is sent
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status and body of a page.
pub fn get(address: &str, path: &str) -> (u16, String) {
    let answer = ask(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

/// Wait until a page says something that satisfies.
fn until(address: &str, path: &str, satisfies: impl Fn(u16, &str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let (status, body) = get(address, path);
        if satisfies(status, &body) {
            return body;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{path} stays {status}: {body}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Rows of the table of metrics: the name, and whether it is only there on a GPU.
fn documented() -> BTreeSet<(String, bool)> {
    let rows = DOCUMENTED.lines().filter_map(|line| Some((line.strip_prefix("| `")?.split('`').next()?, line)));
    rows.map(|(name, line)| (name.to_owned(), line.contains("on a GPU"))).collect()
}

#[test]
fn metrics_and_their_documentation_name_the_same() {
    let sandbox = Sandbox::with(&with_page());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    daemon.stop(Signal::TERM);
    let db = rusqlite::Connection::open(sandbox.state().join("ledger.db")).expect("a ledger");
    db.execute_batch(
        "INSERT INTO training_runs (name, begun_at, origin, data, knees, gold_knees, fits, plan, of_labels, ended_at, outcome) \
         VALUES ('r1', '2030-01-01', 'schedule', '', 1, 1, 15, '', 1, '2030-01-02', 'kept'), \
                ('r2', '2030-01-03', 'schedule', '', 1, 1, 10, '', 1, NULL, NULL);
         INSERT INTO training_fits VALUES ('r2', 'resnet101', 1, '2030-01-03', NULL, 'fitted', NULL);
         INSERT INTO training_epochs VALUES ('r2', 'resnet101', 1, 7, '2030-01-03', 1, 1, 1, 1, 1, NULL, 1);",
    )
    .expect("rows");
    drop(db);
    std::fs::remove_file(sandbox.beside("daemon.log")).expect("an old log");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let address = page(&daemon);
    for seed in 0..3 {
        sandbox.drop_in(&format!("{seed}.png"), &small_png(seed));
    }
    sandbox.drop_in("b.txt", b"no image");
    until(&address, "/metrics", |_, text| {
        text.contains("kellgrend_files_total{outcome=\"graded\"} 3\n") && text.contains("kellgrend_quarantined_total{")
    });
    // an outbox that is no folder is nobody's fault but the disk's
    std::fs::rename(sandbox.state().join("outbox"), sandbox.beside("outbox")).expect("moved away");
    std::fs::write(sandbox.state().join("outbox"), "in the way").expect("written");
    sandbox.drop_in("late.png", &small_png(9));
    let text = until(&address, "/metrics", |_, text| text.contains("kellgrend_retries_total{cause=\"outbox\"} 1\n"));
    for line in [
        "kellgrend_healthy 1",
        "kellgrend_ledger_writable 1",
        "kellgrend_inbox_reachable 1",
        "kellgrend_inbox_held 0",
        "kellgrend_in_work_files 1",
        "kellgrend_step_seconds_count{step=\"publish\"} 4",
        "kellgrend_training_running 1",
        "kellgrend_training_epoch 7",
        "kellgrend_training_fits{state=\"fitted\"} 1",
        "kellgrend_training_last_info{outcome=\"kept\"} 1",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is missing:\n{text}");
    }
    let knees: u64 = text
        .lines()
        .filter_map(|line| line.strip_prefix("kellgrend_knees_total{")?.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(knees, 3);

    let told: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for name in &told {
        assert!(documented().iter().any(|(known, _)| known == name), "{name} is not in docs/metrics.md");
    }
    for (name, gpu) in documented().iter().filter(|(_, gpu)| !gpu) {
        assert!(told.contains(name.as_str()), "{name} is documented and not told: {gpu}");
    }
}

#[test]
fn health_says_what_is_not_well_and_when_it_is_well_again() {
    let sandbox = Sandbox::with(&with_page());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let address = page(&daemon);
    let body = until(&address, "/healthz", |status, _| status == 200);
    assert_eq!(body, "{\"status\":\"well\"}\n");
    std::fs::rename(sandbox.inbox(), sandbox.state().join("away")).expect("renamed");
    let body = until(&address, "/healthz", |status, _| status == 503);
    assert!(body.contains("inbox") && body.lines().count() == 1, "{body}");
    assert!(get(&address, "/").1.contains("Not well"));
    assert!(get(&address, "/metrics").1.contains("kellgrend_healthy 0\n"));
    std::fs::rename(sandbox.state().join("away"), sandbox.inbox()).expect("renamed back");
    until(&address, "/healthz", |status, _| status == 200);
    assert!(get(&address, "/").1.contains("All is well"));
}

#[test]
fn hostile_clients_harm_nobody() {
    let sandbox = Sandbox::with(&with_page());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let address = page(&daemon);
    let status = |request: &[u8]| ask(&address, request).split(' ').nth(1).unwrap_or_default().to_owned();
    assert_eq!(status(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"), "405");
    assert_eq!(status(b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"), "404");
    assert_eq!(status(b"\x16\x03\x01 no HTTP at all\r\n\r\n"), "400");
    let huge = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    assert_ne!(status(huge.as_bytes()), "200");
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: x\r\n".repeat(1000));
    assert_ne!(status(many.as_bytes()), "200");

    sandbox.drop_in("first.png", &small_png(0)); // the first takes memory for the networks
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 1);
    let before = daemon.memory_kib("VmRSS");
    // more than there are places, each of which says a little and then nothing; and some that ask and never read
    let slow: Vec<_> = (0..150)
        .map(|number| {
            let mut stream = TcpStream::connect(&address).expect("connected");
            let says: &[u8] = if number % 2 == 0 { b"GET / HT" } else { b"GET /metrics HTTP/1.1\r\n\r\n" };
            stream.write_all(says).expect("said");
            stream
        })
        .collect();
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 2);
    until(&address, "/healthz", |status, _| status == 200);
    drop(slow);
    assert!(daemon.is_alive());
    assert!(daemon.memory_kib("VmRSS") < before + (64 << 10), "memory is bounded");
    daemon.stop(Signal::TERM);
}

#[test]
fn a_page_that_cannot_listen_keeps_no_radiograph_waiting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let sandbox = Sandbox::with(&format!("{QUICK}\n[http]\nlisten = \"{address}\"\n"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.png", &small_png(1));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'published'", 1);
    assert!(daemon.log().contains("there is no page at"), "{}", daemon.log());
}

#[test]
fn status_tells_what_the_running_daemon_knows() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.png", &small_png(1));
    let file = sandbox.state().join("status.json");
    let (began, told) = (Instant::now(), || std::fs::read(&file).ok());
    let snapshot = loop {
        // whole or not at all, whenever one looks
        let snapshot = told().map(|bytes| serde_json::from_slice::<Snapshot>(&bytes).expect("whole"));
        match snapshot.filter(|snapshot| snapshot.ended("graded") == 1) {
            Some(snapshot) => break snapshot,
            None => assert!(began.elapsed() < Duration::from_secs(60), "{:?}", told()),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!((snapshot.pid, snapshot.ills.len(), snapshot.knees.iter().sum::<u64>()), (daemon.pid(), 0, 1));
    assert!(snapshot.disks.iter().any(|disk| disk.folder == "outbox" && disk.free_bytes > 0), "{:?}", snapshot.disks);
    assert!(snapshot.process.resident_bytes > 1 << 20 && snapshot.process.open_files > 3, "{:?}", snapshot.process);

    let json: Value = serde_json::from_slice(&sandbox.output(&["status", "--json"]).stdout).expect("JSON");
    assert_eq!((&json["now"]["files"]["graded"], &json["knees"]), (&Value::from(1), &Value::from(1)));
    let text = words(&sandbox.output(&["status"]));
    assert!(text.contains("watching; 0 in work, 1 graded since start, last "), "{text}");
    daemon.stop(Signal::TERM);
    assert!(!file.exists(), "nobody is running");
    let json: Value = serde_json::from_slice(&sandbox.output(&["status", "--json"]).stdout).expect("JSON");
    assert_eq!(json["now"], Value::Null);
}

#[test]
fn systemd_hears_how_things_are_and_its_watchdog_is_fed_where_there_is_one() {
    for watchdog in [None, Some("900000")] {
        let sandbox = Sandbox::new();
        let address = sandbox.beside("notify");
        let socket = UnixDatagram::bind(&address).expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut variables = vec![("NOTIFY_SOCKET", address.to_str().expect("UTF-8"))];
        variables.extend(watchdog.map(|limit| ("WATCHDOG_USEC", limit)));
        let mut daemon = sandbox.daemon_with(&variables);
        daemon.ready();
        sandbox.drop_in("a.png", &small_png(1));
        let (mut heard, mut fed) = (String::new(), 0);
        while fed < 3 || !heard.contains("STATUS=watching; 0 in work, 1 graded since start, last ") {
            let mut bytes = [0; 512];
            let length = socket.recv(&mut bytes).expect("a word for systemd");
            let words = String::from_utf8_lossy(&bytes[..length]).into_owned();
            fed += words.contains("WATCHDOG=1") as usize;
            heard += &words;
            if watchdog.is_none() && heard.contains("1 graded") {
                break;
            }
        }
        assert!(heard.contains("READY=1"), "{heard}");
        assert_eq!(fed > 0, watchdog.is_some(), "{heard}");
        daemon.stop(Signal::TERM);
    }
}
