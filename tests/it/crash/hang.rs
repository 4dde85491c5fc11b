//! A device that hangs, as a kernel on a GPU may: here the kernel of the system holds the thread that owns the device, in the middle of
//! a batch.

use crate::films::small_png;
use crate::sandbox::{QUICK, Sandbox, words};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

const PUBLISHED: &str = "SELECT count(*) FROM files WHERE state = 'published'";
const FILMS: u32 = 24;
const PATIENCE: Duration = Duration::from_secs(90);

/// A thread of the daemon that is held.
struct Held(Pid);

impl Held {
    /// The thread that owns the device, as soon as it computes; none where nobody may hold another's threads.
    fn computing(daemon: u32) -> Option<Self> {
        let mut threads =
            fs::read_dir(format!("/proc/{daemon}/task")).expect("threads").map(|entry| entry.expect("one").path());
        let device =
            threads.find(|thread| fs::read_to_string(thread.join("comm")).is_ok_and(|name| name == "device\n"));
        let device = device.expect("a thread that owns the device");
        let state = || fs::read_to_string(device.join("stat")).expect("its state").split(' ').nth(2).map(str::to_owned);
        let (mut computes, began) = (0, Instant::now());
        while computes < 3 {
            assert!(began.elapsed() < PATIENCE, "it does not compute");
            std::thread::sleep(Duration::from_millis(2));
            computes = if state().as_deref() == Some("R") { computes + 1 } else { 0 };
        }
        let id = device.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        let thread = Pid::from_raw(id.expect("a number"));
        ptrace::seize(thread, Options::empty()).ok()?;
        ptrace::interrupt(thread).expect("interrupted");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("held");
        Some(Self(thread))
    }

    /// Once the daemon is killed, somebody must hear of the thread's end.
    fn ends(self) {
        while waitpid(self.0, Some(WaitPidFlag::__WALL)).is_ok_and(|status| status.pid().is_some()) {
            let _ended = ptrace::cont(self.0, None);
        }
    }
}

#[test]
fn a_device_that_hangs_starves_the_watchdog_and_the_next_start_grades_what_waited() {
    let sandbox = Sandbox::with(&format!("{QUICK}\n[grading]\nhang_after = \"5s\"\n"));
    let address = sandbox.beside("notify");
    let socket = UnixDatagram::bind(&address).expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    let address = address.to_str().expect("UTF-8");
    let mut daemon = sandbox.daemon_with(&[("NOTIFY_SOCKET", address), ("WATCHDOG_USEC", "900000")]);
    daemon.ready();
    (0..FILMS).for_each(|seed| sandbox.drop_in(&format!("{seed}.png"), &small_png(seed)));
    sandbox.until_at_least(PUBLISHED, 1);
    let Some(device) = Held::computing(daemon.pid()) else {
        return eprintln!("skipped: threads cannot be held here");
    };

    let hear = || {
        let mut bytes = [0; 512];
        let length = socket.recv(&mut bytes).expect("a word for systemd");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let began = Instant::now();
    while !hear().contains("STATUS=the step \"networks\" has not moved") {
        assert!(began.elapsed() < PATIENCE, "nobody sees that it hangs");
    }
    for _ in 0..5 {
        let heard = hear();
        assert!(!heard.contains("WATCHDOG=1"), "{heard}");
    }
    assert!(sandbox.count(PUBLISHED) < i64::from(FILMS), "all went through before it hung");

    // what systemd does then
    kill(Pid::from_raw(daemon.pid() as i32), Signal::SIGABRT).expect("a signal");
    device.ends();
    let began = Instant::now();
    while daemon.is_alive() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut daemon = sandbox.daemon();
    daemon.ready();
    sandbox.until(PUBLISHED, FILMS.into());
    daemon.stop(rustix::process::Signal::TERM);
    let checked = sandbox.output(&["check", "--ledger"]);
    assert!(checked.status.success(), "{}", words(&checked));
    assert_eq!(sandbox.count("SELECT count(*) FROM files WHERE state = 'quarantined'"), 0, "it is no film's fault");
}
