//! What the thread does that traces a program: the one that has started it, since no other may.

#![allow(unsafe_code)]

use super::calls::Calls;
use super::disk::Disk;
use super::tracer::{End, Fault, Moment, Plan, Report, Seen};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use seccompiler::apply_filter;
use std::collections::VecDeque;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

/// No round: nothing is counted.
pub const BETWEEN: usize = 0;

/// The program, which goes on from its first instruction; none where nothing can be traced.
pub fn start(mut command: Command, calls: Calls) -> Option<Pid> {
    let filter = calls.filter();
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
        | Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(program, options).expect("options");
    ptrace::cont(program, None).expect("it goes on");
    Some(program)
}

/// Until it has ended. `disk` is what was durable before it began.
pub fn follow(program: Pid, (state, mut disk): (&Path, Option<Disk>), mut plan: Plan, seen: &Seen) -> Report {
    let (mut steps, mut faults) = (Vec::new(), Vec::new());
    let (mut round, mut step) = (BETWEEN, 0);
    // where somebody looks at each step, one is over before another one is looked at: all names stay as they are meanwhile
    let (mut under_way, mut waiting) = (None, VecDeque::new());
    let end = loop {
        let first = if under_way.is_none() { waiting.pop_front() } else { None };
        let status = match first {
            Some(thread) => WaitStatus::PtraceEvent(thread, Signal::SIGTRAP, libc::PTRACE_EVENT_SECCOMP),
            // what is said to this thread alone: other tests wait for other programs
            None => waitpid(Pid::from_raw(-1), Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)).expect("a report"),
        };
        if status.pid() == under_way && !matches!(status, WaitStatus::Stopped(..)) {
            under_way = None;
        }
        match status {
            WaitStatus::PtraceEvent(thread, _, libc::PTRACE_EVENT_SECCOMP) if under_way.is_some() => {
                waiting.push_back(thread);
            }
            WaitStatus::PtraceEvent(thread, _, libc::PTRACE_EVENT_SECCOMP) => {
                let now = seen.round.load(Ordering::Relaxed);
                if now != round {
                    (round, step) = (now, 0);
                }
                if let Some(call) = plan.calls.of(thread, state).filter(|_| round != BETWEEN) {
                    step += 1;
                    steps.push(call.words.clone());
                    if let (Some(before_each), Some(disk)) = (&mut plan.before_each, &mut disk) {
                        before_each(&Moment { step, call: &call.words, state, disk });
                        call.synced.iter().for_each(|path| disk.sync(path));
                        if ptrace::syscall(thread, None).is_ok() {
                            under_way = Some(thread);
                        }
                        continue;
                    }
                    if let Some(fault) = plan.faults.at(round, step) {
                        refuse(thread, fault);
                        faults.push((call.words, fault));
                        seen.faults.fetch_add(1, Ordering::Relaxed);
                    }
                }
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Exited(pid, code) if pid == program => break End::Exited(code),
            WaitStatus::Signaled(pid, signal, _) if pid == program => break End::Signaled(signal as i32),
            // a thread or a decoder begins, or a call is over
            WaitStatus::PtraceEvent(thread, ..)
            | WaitStatus::PtraceSyscall(thread)
            | WaitStatus::Stopped(thread, Signal::SIGSTOP) => {
                let _ = ptrace::cont(thread, None);
            }
            WaitStatus::Stopped(thread, signal) => drop(ptrace::cont(thread, Some(signal))),
            _ => {}
        }
    };
    Report { steps, faults, end }
}

/// The thread hears that its call has failed, and the kernel never hears of the call.
fn refuse(thread: Pid, Fault(errno): Fault) {
    let mut registers = ptrace::getregs(thread).expect("a thread that stands still");
    registers.orig_rax = u64::MAX;
    registers.rax = i64::from(-errno).cast_unsigned();
    ptrace::setregs(thread, registers).expect("a thread that stands still");
}
