//! A decoder process, seen from the one that started it.

use super::wire::{Hello, Question, receive, send};
use super::{Budget, Decoded, Refused, Sandbox, VERSION, answer};
use crate::side::Side;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Loading the program on a slow disk takes a while.
const START: Duration = Duration::from_secs(60);

/// Bytes of freed memory that a decoder keeps; glibc allows no more (32 MiB).
const KEPT: &str = "33554432";

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Lost {
    /// Its time was up.
    Slow,
    /// It ended, or said what no decoder says.
    Died,
}

/// One process; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    socket: UnixStream,
    /// What the kernel has taken from it.
    pub(super) sandbox: Sandbox,
    /// How many files it was asked about.
    pub(super) files: usize,
}

impl Process {
    pub(super) fn start(program: &Path, budget: &Budget) -> io::Result<Self> {
        let (socket, other) = UnixStream::pair()?;
        let Budget { limits, memory, time: _ } = budget;
        let mut command = Command::new(program);
        command.arg0("kellgrend-decode");
        for (option, value) in [
            ("--max-bytes", limits.max_bytes),
            ("--max-pixels", limits.max_pixels),
            ("--max-side", limits.max_side.into()),
            ("--memory", *memory),
        ] {
            command.arg(option).arg(value.to_string());
        }
        // memory that was used for one film is kept for the next one: given back, each page of it would have to be cleared anew
        let kept = [("MALLOC_MMAP_THRESHOLD_", KEPT), ("MALLOC_TRIM_THRESHOLD_", KEPT)];
        // nothing of the environment is its business
        command.env_clear().envs(kept);
        // what it says on standard error may quote a file, and so a patient
        command.stdin(OwnedFd::from(other)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        drop(command); // and with it our copy of its end: when it ends, so do our reads
        let mut process = Self { child, socket, sandbox: Sandbox::default(), files: 0 };
        let hello = receive(&mut Timed::new(&process.socket, START));
        let Hello { version, sandbox } = hello?.ok_or_else(|| io::Error::other("it ended before it was ready"))?;
        if version != VERSION {
            return Err(io::Error::other(format!(
                "it is of version {version:.20}, this is {VERSION}: install both programs"
            )));
        }
        process.sandbox = sandbox;
        Ok(process)
    }

    /// Asks for one file; after an error the process is of no more use.
    pub(super) fn ask(
        &mut self,
        bytes: &[u8],
        side_by_name: Side,
        budget: &Budget,
    ) -> Result<Result<Decoded, Refused>, Lost> {
        self.files += 1;
        let mut socket = Timed::new(&self.socket, budget.time);
        converse(&mut socket, bytes, side_by_name, budget).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Lost::Slow,
            _ => Lost::Died,
        })
    }
}

fn converse(
    socket: &mut Timed,
    bytes: &[u8],
    side_by_name: Side,
    Budget { limits, .. }: &Budget,
) -> io::Result<Result<Decoded, Refused>> {
    send(socket, &Question { bytes: bytes.len() as u64, side_by_name })?;
    socket.write_all(bytes)?;
    answer::read(socket, bytes.len() as u64, limits)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A socket that is done with at a moment, however little comes at a time.
struct Timed<'a> {
    socket: &'a UnixStream,
    until: Instant,
}

impl<'a> Timed<'a> {
    fn new(socket: &'a UnixStream, time: Duration) -> Self {
        Self { socket, until: Instant::now() + time }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

/// The system says "would block" where it means that the time is up.
fn in_time(outcome: io::Result<usize>) -> io::Result<usize> {
    outcome.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    })
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        in_time(self.socket.read(buffer))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        in_time(self.socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
