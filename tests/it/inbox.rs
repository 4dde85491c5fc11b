//! What only the system can bring upon an inbox: its limits, its permissions, its file systems.

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox};
use crate::small_disk::SmallDisk;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::Duration;

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";

/// Whether a program can be started by these words.
fn starts(words: &[&str]) -> bool {
    Command::new(words[0]).args(&words[1..]).arg("true").output().is_ok_and(|output| output.status.success())
}

/// A namespace of users has limits of its own.
#[test]
fn without_watches_or_watchers_the_timer_finds_everything() {
    for limit in ["max_inotify_watches", "max_inotify_instances"] {
        let script = format!("echo 0 > /proc/sys/user/{limit} && exec \"$0\" \"$@\"");
        let words = ["unshare", "--user", "--map-root-user", "sh", "-c", &script];
        if !starts(&words) {
            return eprintln!("skipped: no namespace with limits of its own can be had here");
        }
        let sandbox = Sandbox::new();
        let mut daemon = sandbox.daemon_under(&words);
        daemon.ready();
        sandbox.drop_in("a.png", &small_png(1));
        sandbox.until(PUBLISHED, 1);
        assert_eq!(sandbox.log().matches("searched on the timer alone").count(), 1, "{limit}: {}", sandbox.log());
        daemon.stop(Signal::TERM);
    }
}

#[test]
fn a_queue_of_events_that_overflows_hides_nothing() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").ok();
    let Some(limit) = limit.and_then(|limit| limit.trim().parse::<usize>().ok()).filter(|limit| *limit <= 200_000)
    else {
        return eprintln!("skipped: the queue of events is too long to be filled here");
    };
    let sandbox = Sandbox::with(&QUICK.replace("scan_every = \"500ms\"", "scan_every = \"1h\""));
    let passed_over = ["a.tmp", "b.tmp"].map(|name| sandbox.inbox().join(name));
    passed_over.iter().for_each(|path| fs::write(path, "not yet").expect("written"));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    // It hears nothing while its queue fills with events that are no news: two files are opened by turns.
    let pid = Pid::from_raw(daemon.pid() as i32).expect("a pid");
    kill_process(pid, Signal::STOP).expect("stopped");
    (0..=limit).for_each(|turn| drop(File::open(&passed_over[turn % 2]).expect("opened")));
    (0..3).for_each(|seed| sandbox.drop_in(&format!("{seed}.png"), &small_png(seed)));
    kill_process(pid, Signal::CONT).expect("goes on");
    sandbox.until(PUBLISHED, 3);
    // and it hears again
    sandbox.drop_in("later.png", &small_png(4));
    sandbox.until(PUBLISHED, 4);
}

/// What to begin a command with whom permissions bind, root, too; none, and said so, where root cannot be bound.
fn bound_by_permissions() -> Option<&'static [&'static str]> {
    let words: &[&str] = match geteuid().is_root() {
        true => &["setpriv", "--bounding-set", "-dac_override,-dac_read_search"],
        false => &["env"],
    };
    if starts(words) {
        return Some(words);
    }
    eprintln!("skipped: root cannot be bound by permissions here");
    None
}

#[test]
fn what_may_not_be_read_waits_until_it_may_and_a_pipe_is_left_alone() {
    let Some(words) = bound_by_permissions() else { return };
    let sandbox = Sandbox::new();
    let [file, folder, pipe] = ["secret.png", "closed", "pipe.dcm"].map(|name| sandbox.inbox().join(name));
    let may = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("changed");
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join("inside.png"), small_png(1)).expect("written");
    fs::write(&file, small_png(2)).expect("written");
    may(&folder, 0);
    may(&file, 0);
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
    let mut daemon = sandbox.daemon_under(words);
    daemon.ready();
    sandbox.drop_in("plain.png", &small_png(3));
    sandbox.until(PUBLISHED, 1);
    std::thread::sleep(Duration::from_secs(2));
    for said in ["it cannot be read", "a folder in the inbox cannot be read"] {
        let complaints = sandbox.log().matches(said).count();
        assert!((1..=2).contains(&complaints), "{said}: said, but not at every look:\n{}", sandbox.log());
    }
    may(&file, 0o644);
    may(&folder, 0o755);
    sandbox.until(PUBLISHED, 3);
    daemon.stop(Signal::TERM);
    assert!(pipe.exists(), "nobody's business");
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 3);
}

#[test]
fn an_inbox_that_is_unmounted_and_mounted_again_is_watched_again() {
    let sandbox = Sandbox::with(&QUICK.replace("[log]", "[grading]\nkeep_free = \"0B\"\n[log]"));
    let outbox = sandbox.state().join("outbox");
    fs::create_dir(&outbox).expect("made");
    let Some(shares) = SmallDisk::at(sandbox.inbox(), 8).zip(SmallDisk::at(outbox, 8)) else { return };
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.drop_in("first.png", &small_png(1));
    sandbox.until(PUBLISHED, 1);
    drop(shares);
    fs::write(sandbox.inbox().join("beneath.png"), small_png(3)).expect("written");
    sandbox.until(PUBLISHED, 2);
    assert!(sandbox.log().contains("the inbox lies on another file system than before"), "{}", sandbox.log());
    let Some(_share) = SmallDisk::at(sandbox.inbox(), 8) else { return };
    sandbox.drop_in("second.png", &small_png(4));
    sandbox.until(PUBLISHED, 3);
    assert!(daemon.is_alive());
    let is_said = || sandbox.log().contains("the outbox folder lies on another file system than before");
    assert!(
        (0..300).any(|_| is_said() || {
            std::thread::sleep(Duration::from_millis(100));
            false
        }),
        "{}",
        sandbox.log()
    );
}

/// As from `cp -r` by somebody else: films can be read there, and not taken away.
#[test]
fn a_film_that_cannot_be_taken_out_comes_once_however_often_it_is_seen() {
    let Some(words) = bound_by_permissions() else { return };
    let sandbox = Sandbox::new();
    let study = sandbox.inbox().join("study");
    let mut daemon = sandbox.daemon_under(words);
    daemon.ready();
    sandbox.drop_in("first.png", &small_png(1));
    sandbox.until(PUBLISHED, 1);
    fs::create_dir(&study).expect("made");
    fs::write(study.join("again.png"), small_png(1)).expect("written");
    fs::set_permissions(&study, Permissions::from_mode(0o555)).expect("changed");
    std::thread::sleep(Duration::from_secs(3));
    assert!(sandbox.log().contains("it is a duplicate and cannot be put away"), "{}", sandbox.log());
    // it has not come yet; while it is tried there are two
    sandbox.until("SELECT count(*) FROM files", 1);
    fs::set_permissions(&study, Permissions::from_mode(0o755)).expect("changed");
    sandbox.until("SELECT count(*) FROM files WHERE state = 'duplicate'", 1);
    assert_eq!(sandbox.count("SELECT count(*) FROM files"), 2);
    daemon.stop(Signal::TERM);
}

#[test]
fn links_to_one_file_come_and_go_as_files_of_their_own() {
    let sandbox = Sandbox::new();
    let store = sandbox.beside("store.txt");
    fs::write(&store, "no film").expect("written");
    let mut daemon = sandbox.daemon();
    daemon.ready();
    for (times, name) in ["x.jpg", "y.jpg"].into_iter().enumerate() {
        fs::hard_link(&store, sandbox.inbox().join(name)).expect("linked");
        sandbox.until_at_least("SELECT count(*) FROM files WHERE state = 'quarantined'", 1);
        sandbox.until("SELECT count(*) FROM files WHERE state = 'claimed'", 0);
        while fs::exists(sandbox.inbox().join(name)).expect("seen") {
            assert!(daemon.is_alive(), "{times}");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(fs::read_dir(sandbox.state().join("work")).expect("read").count(), 0, "{name} is put away");
    }
    daemon.stop(Signal::TERM);
}

/// It leads to the kernel's devices, whose folders link to each other without end.
#[test]
fn a_link_in_the_inbox_holds_up_nothing() {
    let sandbox = Sandbox::new();
    symlink("/sys/class", sandbox.inbox().join("all of it")).expect("linked");
    sandbox.drop_in("1.png", &small_png(1));
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, 1);
    daemon.stop(Signal::TERM);
}
