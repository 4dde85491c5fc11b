//! The real daemon: what is dropped in comes out graded, once, whatever happens on the way.

use crate::films::{dicom_of, small_png};
use crate::outside::{get, page, with_page};
use crate::sandbox::{QUICK, Sandbox, files_below, names_in};
use crate::schema::misfit;
use kellgrend::daemon::scout::Scout;
use kellgrend::digest::Digest;
use kellgrend::outbox::record::ResultRecord;
use kellgrend::phantom::{Coding, Knees, Subject, bilateral, dicom, jpeg8, knee, png16};
use kellgrend::side::Side;
use rustix::process::Signal;
use std::time::{Duration, Instant};

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";
const QUARANTINED: &str = "SELECT count(*) FROM files WHERE state = 'quarantined'";

pub fn record(folder: &std::path::Path) -> ResultRecord {
    let json = std::fs::read(folder.join("result.json")).expect("a record");
    serde_json::from_slice(&json).expect("a valid record")
}

#[test]
fn every_kind_of_radiograph_becomes_grade_votes_and_pictures() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let left =
        dicom(&knee(1, Side::Left, 0.2), &Subject::new(1, Knees::One(Side::Left)), Coding::JpegLs).expect("DICOM");
    let both =
        dicom(&bilateral(2, 0.2, 0.8), &Subject::new(2, Knees::Both), Coding::ImplicitLittleEndian).expect("DICOM");
    sandbox.drop_in("a.dcm", &left);
    sandbox.drop_in("b", &both);
    sandbox.drop_in("9001695R.png", &png16(&knee(3, Side::Right, 0.5)).expect("PNG"));
    sandbox.drop_in("wrong-ending.dcm", &jpeg8(&knee(4, Side::Left, 0.9)).expect("JPEG"));
    sandbox.until(PUBLISHED, 4);
    daemon.stop(Signal::TERM);

    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 5);
    assert_eq!(sandbox.count("SELECT count(*) FROM votes"), 5);
    assert_eq!(sandbox.count("SELECT count(*) FROM pictures"), 10);
    assert_eq!(sandbox.count("SELECT count(*) FROM knees WHERE side = 'unknown'"), 1);
    assert_eq!(files_below(&sandbox.inbox()), Vec::<std::path::PathBuf>::new());
    assert_eq!(files_below(&sandbox.state().join("work")), Vec::<std::path::PathBuf>::new());
    let archived: Vec<_> = files_below(&sandbox.state().join("archive"));
    let mut endings: Vec<_> = archived.iter().filter_map(|path| path.extension()?.to_str()).collect();
    endings.sort_unstable();
    assert_eq!(endings, ["dcm", "dcm", "jpg", "png"]);
    for original in &archived {
        let digest = Digest::of(&std::fs::read(original).expect("readable"));
        assert!(original.file_stem().is_some_and(|stem| stem.to_string_lossy() == digest.to_string()));
    }

    for folder in sandbox.results() {
        let json = std::fs::read(folder.join("result.json")).expect("a record");
        assert_eq!(misfit(&serde_json::from_slice(&json).expect("JSON")), None);
    }
    let records: Vec<_> = sandbox.results().iter().map(|folder| (folder.clone(), record(folder))).collect();
    assert_eq!(records.len(), 4);
    for (folder, record) in &records {
        let mut names = vec!["result.json".to_owned()];
        for knee in &record.knees {
            let pictures = knee.pictures.as_ref().expect("pictures");
            names.extend([pictures.overlay.clone(), pictures.map.clone()]);
        }
        names.sort();
        let found: Vec<_> = names_in(folder)
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, names, "a result is whole and holds nothing else");
        for name in names.iter().filter(|name| name.ends_with(".png")) {
            image::open(folder.join(name)).expect("a picture that opens");
        }
    }
    let both = records.iter().map(|(_, record)| record).find(|record| record.knees.len() == 2).expect("both knees");
    assert_eq!(both.knees.iter().map(|knee| knee.side).collect::<Vec<_>>(), [Side::Right, Side::Left]);
    // Every grade can be traced to bytes, release, program and settings.
    let traced = "SELECT count(*) FROM report_grades WHERE length(sha256) = 64 AND release = 'starter' \
                  AND length(release_sha256) = 64 AND version <> '' AND device LIKE '%CPU%' AND length(settings_sha256) = 64";
    assert_eq!(sandbox.count(traced), 5);
}

#[test]
fn a_file_that_grows_slower_than_the_settle_time_is_taken_whole() {
    let sandbox = Sandbox::with(&QUICK.replace("600ms", "20s"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let bytes = small_png(1);
    sandbox.trickle_in("slow.png", &bytes, 4, Duration::from_millis(700));
    sandbox.until(PUBLISHED, 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 1, "nothing was taken before it was whole");
    assert_eq!(record(&sandbox.results()[0]).file.sha256, Digest::of(&bytes));
}

#[test]
fn a_truncated_file_waits_and_then_goes_to_quarantine_with_its_reason() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let bytes = dicom_of("Nobody^None", "0", 5);
    let half = &bytes[..bytes.len() / 2];
    sandbox.drop_in("half.dcm", half);
    sandbox.until(QUARANTINED, 1);
    daemon.stop(Signal::INT);
    let digest = Digest::of(half).to_string();
    let kept = names_in(&sandbox.state().join("quarantine"));
    let names: Vec<_> =
        kept.iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(names, [format!("{digest}.dcm"), format!("{digest}.reason.txt")]);
    assert_eq!(std::fs::read(&kept[0]).expect("kept"), half, "nothing is lost");
    assert!(std::fs::read_to_string(&kept[1]).expect("a reason").starts_with("truncated: "));
    assert_eq!(sandbox.count("SELECT count(*) FROM report_refused WHERE reason_code = 'truncated'"), 1);
}

#[test]
fn the_same_bytes_under_other_names_are_graded_once() {
    let sandbox = Sandbox::new();
    for name in ["one.png", "two.png", "three.png"] {
        sandbox.drop_in(name, &small_png(2));
    }
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until("SELECT count(*) FROM files WHERE state IN ('published', 'duplicate')", 3);
    sandbox.drop_in("four.png", &small_png(2));
    sandbox.until("SELECT count(*) FROM files WHERE state = 'duplicate'", 3);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 1);
    assert_eq!(sandbox.results().len(), 1);
    assert_eq!(files_below(&sandbox.state().join("archive")).len(), 1, "the bytes are kept, once");
    // who gives them a side later is told that it does not count
    let told =
        "SELECT count(*) FROM files WHERE state = 'duplicate' AND reason LIKE '%not the one that the name says now%'";
    assert_eq!(sandbox.count(told), 0);
    sandbox.drop_in("five-left.png", &small_png(2));
    sandbox.until(told, 1);
}

#[test]
fn the_timer_alone_finds_everything() {
    let sandbox = Sandbox::with(&QUICK.replace("scan_every", "events = false\nscan_every"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.png", &small_png(3));
    sandbox.until(PUBLISHED, 1);
}

#[test]
fn events_alone_find_everything() {
    let sandbox = Sandbox::with(&QUICK.replace("500ms", "1h"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::thread::sleep(Duration::from_millis(300)); // past the scan at start
    sandbox.drop_in("a.png", &small_png(3));
    std::fs::create_dir(sandbox.inbox().join("ward")).expect("a folder");
    std::fs::write(sandbox.inbox().join("ward/b.png"), small_png(4)).expect("a file in a new folder");
    sandbox.until(PUBLISHED, 2);
}

#[test]
fn odd_names_are_taken_and_what_is_no_file_is_left_alone() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let inbox = sandbox.inbox();
    let odd: [&[u8]; 4] = [b"-rf", b"new\nline.png", b"\xff\xfe\x80", &[b'x'; 255]];
    for (i, name) in odd.iter().enumerate() {
        std::fs::write(inbox.join(std::ffi::OsStr::from_bytes(name)), small_png(10 + i as u32)).expect("written");
    }
    for name in [".hidden", "copy.part", "._resource", "x.filepart", "y.crdownload", "z.tmp"] {
        std::fs::write(inbox.join(name), small_png(20)).expect("written");
    }
    std::fs::create_dir(inbox.join("@eaDir")).expect("made");
    std::fs::write(inbox.join("@eaDir/thumb.png"), small_png(21)).expect("written");
    std::fs::write(sandbox.beside("outside.png"), small_png(22)).expect("written");
    std::os::unix::fs::symlink(sandbox.beside("outside.png"), inbox.join("link.png")).expect("linked");
    std::os::unix::fs::symlink("nowhere", inbox.join("dangling")).expect("linked");
    std::os::unix::fs::symlink(".", inbox.join("loop")).expect("linked");
    let _socket = std::os::unix::net::UnixListener::bind(inbox.join("socket")).expect("bound");

    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 4);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 4);
    assert!(daemon.is_alive());
    assert!(sandbox.beside("outside.png").exists(), "what a link leads to is not ours");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let sandbox = Sandbox::new();
    let address = sandbox.beside("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&address).expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    let said = || {
        let mut words = [0; 256];
        let length = socket.recv(&mut words).expect("a word for systemd");
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    let daemon = sandbox.daemon_with(&[("NOTIFY_SOCKET", address.to_str().expect("UTF-8"))]);
    let heard = |word: &str| (0..100).any(|_| said().contains(word));
    assert!(heard("READY=1"));
    daemon.stop(Signal::TERM);
    assert!(heard("STOPPING=1"));
}

#[test]
fn inbox_and_archive_may_be_on_other_file_systems() {
    use std::os::unix::fs::MetadataExt as _;
    let elsewhere = tempfile::tempdir_in("/dev/shm");
    let device = |path: &std::path::Path| std::fs::metadata(path).map(|meta| meta.dev()).ok();
    let sandbox = match &elsewhere {
        Ok(place) if device(place.path()) != device(&std::env::temp_dir()) => {
            let folders = format!(
                "[folders]\ninbox = {0:?}\narchive = {1:?}\nquarantine = {2:?}\n",
                place.path().join("in"),
                place.path().join("kept"),
                place.path().join("refused")
            );
            Sandbox::with(&format!("{QUICK}\n{folders}"))
        }
        _ => return eprintln!("skipped: /dev/shm is not another file system here"),
    };
    let place = elsewhere.expect("checked above");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::fs::write(place.path().join("in/a.png"), small_png(50)).expect("written");
    std::fs::write(place.path().join("in/b.txt"), "no image").expect("written");
    sandbox.until(PUBLISHED, 1);
    sandbox.until(QUARANTINED, 1);
    daemon.stop(Signal::TERM);
    let endings = |folder: &str| -> Vec<_> {
        let files = files_below(&place.path().join(folder));
        files.iter().map(|path| path.extension().expect("an ending").to_string_lossy().into_owned()).collect()
    };
    assert_eq!(endings("kept"), ["png"]);
    assert_eq!(endings("refused"), ["bin", "txt"]);
    assert_eq!(files_below(&place.path().join("in")).len() + files_below(&sandbox.state().join("work")).len(), 0);
}

#[test]
fn folders_within_each_other_are_refused() {
    for folders in ["archive = \"inbox/done\"", "outbox = \"inbox\"", "inbox = \".\"", "quarantine = \"work/q\""] {
        let sandbox = Sandbox::with(&format!("{QUICK}\n[folders]\n{folders}\n"));
        for command in ["run", "check"] {
            let output = sandbox.output(&[command]);
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{folders}: {words}");
            assert!(words.contains("lies within"), "{words}");
        }
    }
}

#[test]
fn an_outbox_or_a_quarantine_that_was_cleared_away_is_made_again() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for folder in ["outbox", "quarantine", "work", "archive"] {
        std::fs::remove_dir_all(sandbox.state().join(folder)).expect("removed");
    }
    sandbox.drop_in("a.png", &small_png(60));
    sandbox.drop_in("b.txt", b"no image");
    sandbox.until(PUBLISHED, 1);
    sandbox.until(QUARANTINED, 1);
    daemon.stop(Signal::TERM);
    assert_eq!(sandbox.results().len(), 1);
    assert_eq!(files_below(&sandbox.state().join("quarantine")).len(), 2);
    assert_eq!(files_below(&sandbox.state().join("work")).len(), 0);
}

#[test]
fn an_inbox_that_vanishes_and_comes_back_is_watched_again() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    std::fs::rename(sandbox.inbox(), sandbox.state().join("away")).expect("renamed");
    std::thread::sleep(Duration::from_secs(2));
    let complaints = daemon.log().matches("cannot be read").count();
    assert_eq!(complaints, 1, "said once: {}", daemon.log());
    std::fs::create_dir(sandbox.inbox()).expect("made");
    sandbox.drop_in("a.png", &small_png(61));
    sandbox.until(PUBLISHED, 1);
}

#[test]
fn a_second_instance_is_refused() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for command in [&["run"][..], &["grade", "."]] {
        let second = sandbox.output(command);
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        assert_eq!(second.status.code(), Some(3), "{words}");
        assert!(words.contains(&format!("process {}", daemon.pid())), "{words}");
    }
    assert!(daemon.is_alive());
}

#[test]
fn a_stop_finishes_what_has_begun_and_the_next_start_the_rest() {
    let sandbox = Sandbox::new();
    for seed in 0..16 {
        sandbox.drop_in(&format!("{seed}.png"), &small_png(100 + seed));
    }
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until_at_least(PUBLISHED, 3);
    daemon.stop(Signal::TERM);
    // before anybody reads it, who would make another
    assert!(!sandbox.state().join("ledger.db-wal").exists(), "all is in the file");
    let done = sandbox.count(PUBLISHED);
    assert!((3..16).contains(&done), "{done} were done at the stop");
    assert_eq!(sandbox.results().len() as i64, done);

    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 16);
    assert_eq!(sandbox.count("SELECT count(*) FROM grades"), 16);
}

#[test]
fn a_reader_in_the_middle_of_a_long_query_hinders_nobody() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("a.png", &small_png(30));
    sandbox.until(PUBLISHED, 1);
    let reader = sandbox.ledger();
    reader.execute_batch("BEGIN; SELECT count(*) FROM grades;").expect("a read transaction");
    sandbox.drop_in("b.png", &small_png(31));
    sandbox.until(PUBLISHED, 2);
    let seen: i64 = reader.query_row("SELECT count(*) FROM grades", [], |row| row.get(0)).expect("a count");
    assert_eq!(seen, 1, "a reader sees one moment");
    assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
}

#[test]
fn patient_data_is_in_no_log_no_name_and_not_in_the_ledger() {
    const NAME: &str = "Zyxwvut^Qwertz";
    const ID: &str = "PID-7355608";
    let words = ["zyxwvut", "qwertz", "7355608"];
    let sandbox = Sandbox::with(&with_page());
    let mut daemon = sandbox.daemon();
    daemon.ready();
    let whole = dicom_of(NAME, ID, 40);
    let other = dicom_of(NAME, ID, 41);
    sandbox.drop_in("Zyxwvut_Qwertz_7355608.dcm", &whole);
    sandbox.drop_in("Zyxwvut_again.dcm", &whole);
    sandbox.drop_in("Qwertz_broken.dcm", &other[..other.len() - 99]);
    sandbox.drop_in("Qwertz_notes.txt", b"Zyxwvut Qwertz, PID-7355608, came in limping");
    sandbox.until(QUARANTINED, 2);
    sandbox.until("SELECT count(*) FROM files WHERE state IN ('published', 'duplicate')", 2);
    assert_eq!(sandbox.count("SELECT count(*) FROM radiographs WHERE length(patient) = 32"), 1, "a pseudonym is kept");
    let mut places: Vec<_> = ["/", "/healthz", "/metrics"]
        .map(|path| (path.to_owned(), get(&page(&daemon), path).1.to_lowercase().into_bytes()))
        .into();
    for command in [&["status"][..], &["status", "--json"]] {
        places.push((command.join(" "), crate::sandbox::words(&sandbox.output(command)).to_lowercase().into_bytes()));
    }
    places.push(("log".to_owned(), daemon.log().to_lowercase().into_bytes()));
    daemon.stop(Signal::TERM);
    for file in files_below(&sandbox.state()) {
        places.push((format!("the name {}", file.display()), file.to_string_lossy().to_lowercase().into_bytes()));
        let original =
            file.starts_with(sandbox.state().join("archive")) || file.starts_with(sandbox.state().join("quarantine"));
        if !original || file.to_string_lossy().ends_with(".reason.txt") {
            let content = std::fs::read(&file).expect("readable").to_ascii_lowercase();
            places.push((file.display().to_string(), content));
        }
    }
    for (place, bytes) in places {
        for word in words {
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word} is in {place}");
        }
    }
}

/// As a share that hangs: whoever looks there never comes back, and mail is sent all the same.
#[test]
fn who_asks_of_a_place_that_does_not_answer_is_told_what_was_seen_last() {
    let (hang, hung) = std::sync::mpsc::channel::<()>();
    let mut looks = 0;
    let look = move || {
        looks += 1;
        if looks == 2 {
            let _ended = hung.recv();
        }
        looks
    };
    let mut scout = Scout::new(Duration::from_secs(2), look).expect("a thread");
    assert_eq!(scout.seen(), 1);
    let began = Instant::now();
    assert_eq!([scout.seen(), scout.seen()], [1, 1]);
    assert!(began.elapsed() < Duration::from_secs(30), "it was waited for");
    drop(hang);
    // the second look ends now, and so do those that were asked for meanwhile
    assert!(scout.seen() >= 2);
}
