//! What the process does that traces a program.

#![allow(unsafe_code)]

use super::disk::Disk;
use super::tracer::{BEGIN, End, Fault, MET, ORDER, Order, Report, UNTRACEABLE};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use seccompiler::apply_filter;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No round: nothing is counted.
const BETWEEN: usize = 0;

/// Traces the program of the order, and reports.
pub fn trace() {
    let order = std::env::var(ORDER).expect("an order");
    let order: Order = serde_json::from_str(&order).expect("an order");
    let Some(program) = start(&order) else { return println!("{UNTRACEABLE}") };
    let round = Arc::new(AtomicUsize::new(order.plan.from_start.into()));
    let told = round.clone();
    std::thread::spawn(move || listen(program, &told));
    let report = follow(&order, program, &round);
    fs::write(&order.report, serde_json::to_vec(&report).expect("JSON")).expect("a report");
    // SAFETY: the process ends here, and libtorch, which nothing here has used, need not take itself apart
    unsafe { libc::_exit(0) }
}

/// The program, about to go on from its first instruction.
fn start(order: &Order) -> Option<Pid> {
    let filter = order.plan.calls.filter();
    let log = File::options().create(true).append(true).open(&order.log).expect("a log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kellgrend"));
    command.args(&order.args).env_remove(ORDER).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // SAFETY: both only call the kernel; nothing of this process is touched between fork and exec
    unsafe {
        command.pre_exec(move || {
            ptrace::traceme().map_err(std::io::Error::from)?;
            apply_filter(&filter).map_err(std::io::Error::other)
        });
    }
    let program = Pid::from_raw(command.spawn().ok()?.id() as i32);
    waitpid(program, None).expect("it has stopped at its first instruction");
    // its decoders are under the same filter, and so must be traced, too
    let options = Options::PTRACE_O_TRACESECCOMP
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(program, options).expect("options");
    ptrace::cont(program, None).expect("it goes on");
    Some(program)
}

/// Does what the test says, which asks the program to end by saying no more.
fn listen(program: Pid, round: &AtomicUsize) {
    let mut rounds = round.load(Ordering::Relaxed);
    let mut word = [0];
    while std::io::stdin().read_exact(&mut word).is_ok() {
        rounds += usize::from(word[0] == BEGIN);
        round.store(if word[0] == BEGIN { rounds } else { BETWEEN }, Ordering::Relaxed);
    }
    let _ = kill(program, Signal::SIGTERM);
}

fn follow(order: &Order, program: Pid, now: &AtomicUsize) -> Report {
    let plan = &order.plan;
    let mut disk = plan.unpowered.as_ref().map(|_| Disk::of(&order.state));
    let (mut steps, mut faults) = (Vec::new(), Vec::new());
    let (mut round, mut step) = (BETWEEN, 0);
    let mut is_killed = false;
    let end = loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::__WALL)).expect("a report") {
            WaitStatus::PtraceEvent(thread, _, libc::PTRACE_EVENT_SECCOMP) if !is_killed => {
                let now = now.load(Ordering::Relaxed);
                if now != round {
                    (round, step) = (now, 0);
                }
                if let Some(call) = plan.calls.of(thread, &order.state).filter(|_| round != BETWEEN) {
                    step += 1;
                    steps.push(call.words.clone());
                    let fault = plan.faults.at(round, step);
                    if let Some(fault) = fault {
                        println!("{MET}{}", call.words);
                        faults.push((call.words, fault));
                    }
                    match fault {
                        Some(Fault::Killed) => {
                            kill(program, Signal::SIGKILL).expect("killed");
                            is_killed = true;
                            continue;
                        }
                        Some(Fault::Fails(errno)) => refuse(thread, errno),
                        None => {
                            if let (Some(disk), Some(path)) = (&mut disk, &call.synced) {
                                disk.sync(path);
                            }
                        }
                    }
                }
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Exited(pid, code) if pid == program => break End::Exited(code),
            WaitStatus::Signaled(pid, ..) if pid == program && is_killed => break End::Killed,
            WaitStatus::Signaled(pid, signal, _) if pid == program => break End::Signaled(signal as i32),
            // a thread or a decoder begins
            WaitStatus::PtraceEvent(thread, ..) | WaitStatus::Stopped(thread, Signal::SIGSTOP) => {
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Stopped(thread, signal) => drop(ptrace::cont(thread, Some(signal))),
            _ => {}
        }
    };
    if let (Some(disk), Some(to)) = (disk, &plan.unpowered) {
        disk.restore(to);
    }
    Report { steps, faults, end }
}

/// The thread hears that its call has failed, and the kernel never hears of the call.
fn refuse(thread: Pid, errno: i32) {
    let mut registers = ptrace::getregs(thread).expect("a thread that stands still");
    registers.orig_rax = u64::MAX;
    registers.rax = i64::from(-errno).cast_unsigned();
    ptrace::setregs(thread, registers).expect("a thread that stands still");
}
