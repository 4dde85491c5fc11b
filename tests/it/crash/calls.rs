//! The calls that a traced program stops at, and what each of them is about.

use nix::libc::{self, user_regs_struct};
use nix::sys::ptrace;
use nix::unistd::Pid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Which calls a program stops at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Those that make something durable or change a name.
    Durable,
    /// Those that open files or write to them.
    Open,
    /// All of these, but for files that are opened to be read.
    Changing,
    /// Those that let memory be run as machine code. oneDNN makes them for each kind of step that a network takes first.
    Code,
}

/// Where a call says what it is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A descriptor.
    Descriptor,
    /// A path.
    Path,
    /// A folder's descriptor and a path below it.
    PathBelow,
    /// Memory, and no file at all.
    Memory,
}

type Known = (libc::c_long, &'static str, Subject);

const DURABLE: [Known; 11] = [
    (libc::SYS_fsync, "fsync", Subject::Descriptor),
    (libc::SYS_fdatasync, "fdatasync", Subject::Descriptor),
    (libc::SYS_ftruncate, "ftruncate", Subject::Descriptor),
    (libc::SYS_rename, "rename", Subject::Path),
    (libc::SYS_renameat, "renameat", Subject::PathBelow),
    (libc::SYS_renameat2, "renameat2", Subject::PathBelow),
    (libc::SYS_unlink, "unlink", Subject::Path),
    (libc::SYS_unlinkat, "unlinkat", Subject::PathBelow),
    (libc::SYS_mkdir, "mkdir", Subject::Path),
    (libc::SYS_mkdirat, "mkdirat", Subject::PathBelow),
    (libc::SYS_rmdir, "rmdir", Subject::Path),
];

const OPEN: [Known; 3] = [
    (libc::SYS_openat, "openat", Subject::PathBelow),
    (libc::SYS_write, "write", Subject::Descriptor),
    (libc::SYS_pwrite64, "pwrite64", Subject::Descriptor),
];

const CODE: [Known; 1] = [(libc::SYS_mprotect, "mprotect", Subject::Memory)];

/// What an `openat` says that may change something.
const TO_CHANGE: libc::c_int = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;

impl Calls {
    fn known(self) -> impl Iterator<Item = Known> {
        let wanted: [&[Known]; 2] = match self {
            Self::Durable => [&DURABLE, &[]],
            Self::Open => [&[], &OPEN],
            Self::Changing => [&DURABLE, &OPEN],
            Self::Code => [&CODE, &[]],
        };
        wanted.concat().into_iter()
    }

    /// What makes the kernel stop a program at them.
    pub fn filter(self) -> BpfProgram {
        let rules = self.known().map(|(call, ..)| (call, Vec::new())).collect();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), TargetArch::x86_64);
        filter.expect("a filter").try_into().expect("a program")
    }

    /// The call that a stopped thread is about to make, if it has to do with the state folder or with machine code.
    pub fn of(self, thread: Pid, state: &Path) -> Option<Call> {
        let registers = ptrace::getregs(thread).ok()?;
        let (_, name, subject) = self.known().find(|(call, ..)| *call as u64 == registers.orig_rax)?;
        if subject == Subject::Memory {
            let is_code = registers.rdx as libc::c_int & libc::PROT_EXEC != 0;
            return is_code.then(|| Call { words: name.to_owned(), synced: None });
        }
        let path = subject.path(thread, &registers)?;
        let below = path.strip_prefix(state).ok()?;
        let is_read = name == "openat" && registers.rdx as libc::c_int & TO_CHANGE == 0;
        if is_read && self == Self::Changing {
            return None;
        }
        let words = format!("{name}{} {}", if is_read { " to read" } else { "" }, without_digits(below));
        let is_synced = ["fsync", "fdatasync"].contains(&name);
        Some(Call { words, synced: is_synced.then_some(path) })
    }
}

/// A call that is about to be made.
pub struct Call {
    /// Its name, and what it is about.
    pub words: String,
    /// What it makes durable.
    pub synced: Option<PathBuf>,
}

impl Subject {
    fn path(self, thread: Pid, registers: &user_regs_struct) -> Option<PathBuf> {
        let descriptor = |number: u64| std::fs::read_link(format!("/proc/{thread}/fd/{}", number as i32)).ok();
        match self {
            Self::Descriptor => descriptor(registers.rdi),
            Self::Path => held(thread, text(thread, registers.rdi)?),
            Self::PathBelow => {
                let path = text(thread, registers.rsi)?;
                // nothing that a program does here is relative to where it was started
                if path.is_absolute() { held(thread, path) } else { Some(descriptor(registers.rdi)?.join(path)) }
            }
            Self::Memory => None,
        }
    }
}

/// The path itself, where it begins with a folder that the program holds open.
fn held(thread: Pid, path: PathBuf) -> Option<PathBuf> {
    let Ok(below) = path.strip_prefix("/proc/self/fd") else { return Some(path) };
    let mut names = below.components();
    let folder = std::fs::read_link(format!("/proc/{thread}/fd/{}", names.next()?.as_os_str().to_str()?)).ok()?;
    Some(folder.join(names))
}

/// The path that a thread's memory has at this address.
fn text(thread: Pid, address: u64) -> Option<PathBuf> {
    let mut bytes = [0; libc::PATH_MAX as usize];
    let read = File::open(format!("/proc/{thread}/mem")).ok()?.read_at(&mut bytes, address).ok()?;
    let text = bytes[..read].split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(std::str::from_utf8(text).ok()?))
}

/// A path in which digests and random endings are left out: the same for every film.
fn without_digits(path: &Path) -> String {
    let plain = |name: &str| {
        let name = name.find("tmp-").or_else(|| name.find("partial-")).map_or(name, |at| &name[..at]);
        let digits = name.trim_start_matches('.').chars().take_while(char::is_ascii_hexdigit).count();
        if digits < 16 { name.to_owned() } else { name.replace(&name.trim_start_matches('.')[..digits], "DIGEST") }
    };
    let names: Vec<_> = path.iter().map(|name| plain(&name.to_string_lossy())).collect();
    format!("{:?}", names.join("/"))
}
