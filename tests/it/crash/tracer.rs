//! A program under trace, seen from the test: it stops before every call of a kind, and there it may die, or hear that the call has
//! failed.
//!
//! The tracing is done in a process of its own (`tracee`), since it waits for whatever child reports next.

use super::calls::Calls;
use crate::sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// What happens to a program at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// It is killed before it.
    Killed,
    /// The call is not made and fails with this `errno`.
    Fails(i32),
}

/// At which calls. They are counted from 1 on, in each round anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Faults {
    /// At these, round by round.
    At(Vec<Round>),
    /// At this one of each round and at all behind it.
    From(Vec<usize>, Fault),
}

/// The calls of one round at which something happens.
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

/// How a program is traced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub calls: Calls,
    pub faults: Faults,
    /// The first round begins with the program, and not when it is told to.
    pub from_start: bool,
    /// Where to put what the disk still has if the power is lost at the end.
    pub unpowered: Option<PathBuf>,
}

impl Plan {
    /// Nothing happens to it.
    pub fn watched(calls: Calls) -> Self {
        Self { calls, faults: Faults::At(Vec::new()), from_start: true, unpowered: None }
    }

    /// It is killed before a durable step; in the other sandbox is then what the disk has if the power is lost there.
    pub fn killed_before(step: usize, unpowered: &Sandbox) -> Self {
        let faults = Faults::At(vec![Round::from([(step, Fault::Killed)])]);
        Self { faults, unpowered: Some(unpowered.state()), ..Self::watched(Calls::Durable) }
    }
}

/// What the process that traces is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub args: Vec<String>,
    pub state: PathBuf,
    pub log: PathBuf,
    pub report: PathBuf,
    pub plan: Plan,
}

/// How a traced program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It was killed before a step, as planned.
    Killed,
    /// By itself or when it was asked to, with this exit code.
    Exited(i32),
    /// Of a signal that nobody planned.
    Signaled(i32),
}

/// What is known of a traced program afterwards.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The calls that it made, or was about to make, in words: all that were counted.
    pub steps: Vec<String>,
    /// Those that met a fault.
    pub faults: Vec<(String, Fault)>,
    pub end: End,
}

pub const ORDER: &str = "KELLGREND_TEST_ORDER";
/// What the process that traces says of each fault, at once.
pub const MET: &str = "met a fault: ";
pub const UNTRACEABLE: &str = "no process can be traced here";
/// Said to the process that traces: a round begins, or it is over. Silence asks the program to end.
pub const BEGIN: u8 = b'+';
pub const PAUSE: u8 = b'-';

/// A program that is being traced.
pub struct Traced<'a> {
    sandbox: &'a Sandbox,
    tracer: Child,
    ear: Option<ChildStdin>,
}

impl<'a> Traced<'a> {
    pub fn start(sandbox: &'a Sandbox, args: &[&str], plan: Plan) -> Self {
        let traced = sandbox.command(args);
        let args = traced.get_args().map(|arg| arg.to_str().expect("UTF-8").to_owned()).collect();
        let (log, report) = (sandbox.beside("daemon.log"), report(sandbox));
        let order = Order { args, state: sandbox.state(), log, report, plan };
        let words = File::create(sandbox.beside("tracer.log")).expect("a log");
        let mut tracer = Command::new(std::env::current_exe().expect("this program"));
        tracer.args(["--exact", "crash::traced", "--ignored", "--nocapture"]);
        for (name, value) in traced.get_envs() {
            match value {
                Some(value) => tracer.env(name, value),
                None => tracer.env_remove(name),
            };
        }
        tracer.env(ORDER, serde_json::to_string(&order).expect("JSON"));
        tracer.stdin(Stdio::piped()).stdout(words.try_clone().expect("a log")).stderr(words);
        let mut tracer = tracer.spawn().expect("this program starts");
        let ear = tracer.stdin.take();
        Self { sandbox, tracer, ear }
    }

    pub fn say(&mut self, word: u8) {
        // it may have ended by itself
        let _ = self.ear.as_mut().expect("it was not asked to end").write_all(&[word]);
    }

    /// Waits until the daemon watches, or has ended.
    pub fn ready(&mut self) {
        let sandbox = self.sandbox;
        self.wait_for(Duration::from_secs(90), || sandbox.log().contains("watching"));
    }

    /// Waits until something has come about, or the program has ended.
    pub fn wait_for(&mut self, patience: Duration, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() && self.tracer.try_wait().expect("its state").is_none() {
            assert!(began.elapsed() < patience, "it does not come about:\n{}", self.sandbox.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How many faults it has met until now.
    pub fn faults(sandbox: &Sandbox) -> usize {
        let said = fs::read_to_string(sandbox.beside("tracer.log")).expect("a log");
        said.lines().filter(|line| line.starts_with(MET)).count()
    }

    /// Asks it to end, and waits until it has. None where nothing can be traced.
    pub fn end(mut self) -> Option<Report> {
        drop(self.ear.take());
        self.ended()
    }

    /// Waits until it ends by itself.
    pub fn ended(mut self) -> Option<Report> {
        self.tracer.wait().expect("its end");
        let said = fs::read_to_string(self.sandbox.beside("tracer.log")).expect("a log");
        if said.contains(UNTRACEABLE) {
            eprintln!("skipped: {UNTRACEABLE}");
            return None;
        }
        let report = fs::read(report(self.sandbox)).unwrap_or_else(|_| panic!("{said}"));
        Some(serde_json::from_slice(&report).expect("a report"))
    }
}

fn report(sandbox: &Sandbox) -> PathBuf {
    sandbox.beside("report.json")
}
