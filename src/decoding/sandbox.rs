//! What a decoder gives up before it sees a byte: files, network, other processes, most calls of the system, most memory.

use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// CPU seconds in a decoder's life, so that one whose daemon is gone does not compute for ever.
const CPU_SECONDS: u64 = 1800;

/// Standard input, output and error, and what the C library opens in passing.
const OPEN_FILES: u64 = 16;

/// What the kernel has taken from a decoder. Limits of memory, time and file size hold on every kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// All files and the network (Landlock).
    pub landlock: bool,
    /// All calls but those that decoding needs (seccomp).
    pub seccomp: bool,
}

impl Sandbox {
    /// Whether the kernel has taken all that there is to take.
    pub fn is_whole(self) -> bool {
        self.landlock && self.seccomp
    }

    /// Gives up all that the kernel lets it give up. What an older kernel lacks is no error; limits that cannot be set are.
    pub(super) fn enter(memory: u64) -> io::Result<Self> {
        let limit = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
        limit(Resource::Data, memory)?;
        limit(Resource::Cpu, CPU_SECONDS)?;
        limit(Resource::Fsize, 0)?;
        limit(Resource::Nofile, OPEN_FILES)?;
        // a core would hold a patient's film
        limit(Resource::Core, 0)?;
        // and so would what a program collects that the kernel hands cores to, whatever their limit
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        let landlock = forgo_files().is_ok_and(|status| status == RulesetStatus::FullyEnforced);
        let seccomp = forgo_calls().is_ok();
        Ok(Self { landlock, seccomp })
    }
}

/// No file, no port, no signal to others.
fn forgo_files() -> Result<RulesetStatus, landlock::RulesetError> {
    // the first that knows the network; what newer kernels know besides is taken where they know it
    let (needed, known) = (ABI::V4, ABI::V6);
    let ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(needed))?.handle_access(AccessNet::from_all(needed))?;
    let status = ruleset.create()?.restrict_self()?.ruleset;
    let scoped = Ruleset::default().scope(Scope::from_all(known)).and_then(|ruleset| ruleset.create()?.restrict_self());
    drop(scoped);
    Ok(status)
}

/// What decoding calls: memory, the one socket, the clock, chance, and an end. All else is an error to the caller, not its death:
/// a library that asks in passing goes on without.
const CALLS: [i64; 37] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

fn forgo_calls() -> Result<(), Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<_>> = CALLS.into_iter().map(|call| (call, Vec::new())).collect();
    let only_if = |argument, compared, value| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compared, value)?;
        SeccompRule::new(vec![condition])
    };
    // abort() sends a signal: to itself, and on no kernel to others
    rules.insert(libc::SYS_tgkill, vec![only_if(0, SeccompCmpOp::Eq, std::process::id().into())?]);
    // memory that the limit does not count
    let uncounted = (libc::MAP_SHARED | libc::MAP_GROWSDOWN) as u64;
    rules.insert(libc::SYS_mmap, vec![only_if(3, SeccompCmpOp::MaskedEq(uncounted), 0)?]);
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files =
            if self.landlock { "no files and no network (landlock)" } else { "files and network (no landlock here)" };
        let calls = if self.seccomp { "few system calls (seccomp)" } else { "all system calls (no seccomp here)" };
        write!(f, "{files}, {calls}")
    }
}
