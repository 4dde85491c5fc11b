//! A program under trace, seen from the test: it stops before every call of a kind. There what it would leave behind can be looked
//! at, or it may hear that the call has failed.
//!
//! The tracing is done by a thread of its own (`tracee`), since it waits for whatever the program's threads report next.

use super::calls::Calls;
use super::disk::Disk;
use super::tracee::{BETWEEN, follow, start};
use crate::sandbox::Sandbox;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The call is not made and fails with this `errno`.
#[derive(Clone, Copy, Debug)]
pub struct Fault(pub i32);

/// Which calls fail. They are counted from 1 on, in each round anew.
pub enum Faults {
    /// These, round by round.
    At(Vec<Round>),
    /// This one of each round and all behind it.
    From(Vec<usize>, Fault),
}

/// The calls of one round that fail.
pub type Round = BTreeMap<usize, Fault>;

impl Faults {
    /// What happens at this step of a round.
    pub fn at(&self, round: usize, step: usize) -> Option<Fault> {
        match self {
            Self::At(rounds) => rounds.get(round - 1)?.get(&step).copied(),
            Self::From(first, fault) => (step >= *first.get(round - 1)?).then_some(*fault),
        }
    }
}

/// A program stands before a call; it is not made before this is over.
pub struct Moment<'a> {
    pub step: usize,
    /// The call in words.
    pub call: &'a str,
    /// The state folder as it is.
    pub state: &'a Path,
    /// What of it is durable.
    pub disk: &'a Disk,
}

/// What is done before a call.
pub type Look = Box<dyn FnMut(&Moment) + Send>;

/// How a program is traced.
pub struct Plan {
    pub calls: Calls,
    pub faults: Faults,
    /// The first round begins with the program, and not when it is told to.
    pub from_start: bool,
    /// What is done before each call.
    pub before_each: Option<Look>,
}

impl Plan {
    /// Nothing happens to it.
    pub fn watched(calls: Calls) -> Self {
        Self { calls, faults: Faults::At(Vec::new()), from_start: true, before_each: None }
    }

    /// This is done before each durable step.
    pub fn looked_at(before_each: impl FnMut(&Moment) + Send + 'static) -> Self {
        Self { before_each: Some(Box::new(before_each)), ..Self::watched(Calls::Durable) }
    }
}

/// How a traced program ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// By itself or when it was asked to, with this exit code.
    Exited(i32),
    /// Of a signal.
    Signaled(i32),
}

/// What is known of a traced program afterwards.
#[derive(Debug)]
pub struct Report {
    /// The calls that it was about to make, in words: all that were counted.
    pub steps: Vec<String>,
    /// Those that met a fault.
    pub faults: Vec<(String, Fault)>,
    pub end: End,
}

/// What the test and the thread that traces tell each other.
pub struct Seen {
    pub round: AtomicUsize,
    /// How many faults the program has met until now.
    pub faults: AtomicUsize,
}

/// A program that is being traced.
pub struct Traced<'a> {
    sandbox: &'a Sandbox,
    seen: Arc<Seen>,
    rounds: usize,
    /// None where nothing can be traced.
    program: Option<Pid>,
    tracer: Option<JoinHandle<Option<Report>>>,
}

impl<'a> Traced<'a> {
    pub fn start(sandbox: &'a Sandbox, args: &[&str], plan: Plan) -> Self {
        let log = File::options().create(true).append(true).open(sandbox.beside("daemon.log")).expect("a log");
        let mut command = sandbox.command(args);
        command.stdout(Stdio::null()).stderr(log);
        let rounds = usize::from(plan.from_start);
        let seen = Arc::new(Seen { round: rounds.into(), faults: 0.into() });
        let (told, state, (tell, hear)) = (seen.clone(), sandbox.state(), mpsc::channel());
        let tracer = std::thread::spawn(move || {
            let disk = plan.before_each.as_ref().map(|_| Disk::of(&state));
            let program = start(command, plan.calls);
            tell.send(program).expect("the test listens");
            Some(follow(program?, (&state, disk), plan, &told))
        });
        let program = hear.recv().expect("an answer");
        Self { sandbox, seen, rounds, program, tracer: Some(tracer) }
    }

    /// A round begins.
    pub fn begin(&mut self) {
        self.rounds += 1;
        self.seen.round.store(self.rounds, Ordering::Relaxed);
    }

    /// A round is over.
    pub fn pause(&self) {
        self.seen.round.store(BETWEEN, Ordering::Relaxed);
    }

    /// How many faults it has met until now.
    pub fn faults(&self) -> usize {
        self.seen.faults.load(Ordering::Relaxed)
    }

    /// Waits until the daemon watches, or has ended.
    pub fn ready(&self) {
        self.wait_for(Duration::from_secs(90), || self.sandbox.log().contains("watching"));
    }

    /// Waits until something has come about, or the program has ended.
    pub fn wait_for(&self, patience: Duration, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() && self.tracer.as_ref().is_some_and(|tracer| !tracer.is_finished()) {
            assert!(began.elapsed() < patience, "it does not come about:\n{}", self.sandbox.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks it to end, and waits until it has. None where nothing can be traced.
    pub fn end(self) -> Option<Report> {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Waits until it ends by itself.
    pub fn ended(mut self) -> Option<Report> {
        let report = self.tracer.take()?.join().expect("its report");
        if report.is_none() {
            eprintln!("skipped: no process can be traced here");
        }
        report
    }

    fn signal(&self, signal: Signal) {
        // it may end by itself just now
        if self.tracer.as_ref().is_some_and(|tracer| !tracer.is_finished()) {
            let _ = self.program.map(|program| kill(program, signal));
        }
    }
}

impl Drop for Traced<'_> {
    /// A test that has failed leaves no program behind.
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.tracer.take().map(JoinHandle::join);
    }
}
