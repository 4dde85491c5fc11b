//! The daemon under `ptrace`: it stops before every call that makes something durable or changes a name, and may die there.
//!
//! The tracing is done in a process of its own, since it waits for whatever child reports next.

#![allow(unsafe_code)]

use super::disk::Disk;
use super::{ALL, ENDED};
use crate::sandbox::{Sandbox, files_below};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How a traced daemon ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was killed before this call.
    Killed(String),
    /// It had done all before that step came.
    ByItself,
}

const STATE: &str = "KELLGREND_TEST_STATE";
const LOST: &str = "KELLGREND_TEST_LOST";
const STEP: &str = "KELLGREND_TEST_STEP";

/// Lets the daemon of a sandbox run until all films have ended, or to its death before a step. In `unpowered` is then what the
/// disk has if the power is lost at that moment. None where nothing can be traced.
pub fn run(sandbox: &Sandbox, unpowered: &Sandbox, step: usize) -> Option<End> {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "crash::traced", "--ignored", "--nocapture"])
        .env(STATE, sandbox.state())
        .env(LOST, unpowered.state())
        .env(STEP, step.to_string())
        .output()
        .expect("this program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
    if word("no tracing").is_some() {
        return None;
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Some(word("killed before: ").map_or(End::ByItself, End::Killed))
}

/// The calls that stop it, with the words for them.
const CALLS: [(libc::c_long, &str); 11] = [
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_rename, "rename"),
    (libc::SYS_renameat, "renameat"),
    (libc::SYS_renameat2, "renameat2"),
    (libc::SYS_unlink, "unlink"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_mkdir, "mkdir"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_rmdir, "rmdir"),
    (libc::SYS_ftruncate, "ftruncate"),
];

fn filter() -> BpfProgram {
    let rules = CALLS.into_iter().map(|(call, _)| (call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), TargetArch::x86_64);
    filter.expect("a filter").try_into().expect("a program")
}

/// What the process of its own does.
pub fn child() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).expect("a variable");
    let state = variable(STATE);
    let step: usize = variable(STEP).to_str().and_then(|step| step.parse().ok()).expect("a number");
    let mut disk = Disk::of(&state);
    let program = filter();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    command.args(["run", "--config"]).arg(state.with_file_name("kellgrend.toml")).arg("--state").arg(&state);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    // SAFETY: both only call the kernel; nothing of this process is touched between fork and exec
    unsafe {
        command.pre_exec(move || {
            ptrace::traceme().map_err(std::io::Error::from)?;
            apply_filter(&program).map_err(std::io::Error::other)
        });
    }
    let Ok(child) = command.spawn() else { return println!("no tracing") };
    let daemon = Pid::from_raw(child.id() as i32);
    waitpid(daemon, None).expect("it has stopped at its first instruction");
    let options = Options::PTRACE_O_TRACESECCOMP | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(daemon, options).expect("options");
    ptrace::cont(daemon, None).expect("it goes on");
    let stopper = state.clone();
    std::thread::spawn(move || stop_when_done(&stopper, daemon));

    let mut steps = 0;
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::__WALL)).expect("a report") {
            WaitStatus::PtraceEvent(thread, _, libc::PTRACE_EVENT_SECCOMP) => {
                let Some(call) = call_of(thread, &state) else {
                    let _ = ptrace::cont(thread, None);
                    continue;
                };
                steps += 1;
                if steps == step {
                    println!("killed before: {}", call.words);
                    kill(daemon, Signal::SIGKILL).expect("killed");
                    continue;
                }
                if let Some(path) = &call.synced {
                    disk.sync(path);
                }
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) if pid == daemon => break,
            // a thread begins
            WaitStatus::PtraceEvent(thread, ..) | WaitStatus::Stopped(thread, Signal::SIGSTOP) => {
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Stopped(thread, signal) => drop(ptrace::cont(thread, Some(signal))),
            _ => {}
        }
    }
    disk.restore(&variable(LOST));
}

struct Call {
    words: String,
    /// What it makes durable.
    synced: Option<PathBuf>,
}

/// The call that a thread is about to make, if it has to do with the state folder.
fn call_of(thread: Pid, state: &Path) -> Option<Call> {
    let registers = ptrace::getregs(thread).ok()?;
    let (_, name) = CALLS.into_iter().find(|(call, _)| *call as u64 == registers.orig_rax)?;
    if !["fsync", "fdatasync", "ftruncate"].contains(&name) {
        return Some(Call { words: name.to_owned(), synced: None });
    }
    let path = std::fs::read_link(format!("/proc/{thread}/fd/{}", registers.rdi)).ok()?;
    let below = path.strip_prefix(state).ok()?.display().to_string();
    let synced = (name != "ftruncate").then(|| path.clone());
    Some(Call { words: format!("{name} of {below:?}"), synced })
}

fn stop_when_done(state: &Path, daemon: Pid) {
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(db) = rusqlite::Connection::open_with_flags(state.join("ledger.db"), flags) else { continue };
        let ended = db.query_row(ENDED, [], |row| row.get::<_, i64>(0)).unwrap_or(0);
        if ended == ALL && files_below(&state.join("work")).is_empty() && files_below(&state.join("inbox")).is_empty() {
            let _ = kill(daemon, Signal::SIGTERM);
            return;
        }
    }
}
