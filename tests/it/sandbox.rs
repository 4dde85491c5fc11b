//! A state folder of its own for every test, and the real binary at work in it.

use kellgrend::decoding::{Budget, Decoders};
use kellgrend::radiograph::Limits;
use rusqlite::Connection;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Settings that make a test quick: files in tests arrive whole.
pub const QUICK: &str = r#"
[settle]
quiet = "200ms"
scan_every = "500ms"
truncated_after = "600ms"
[ensemble]
device = "cpu"
[log]
level = "debug"
"#;

/// What decodes radiographs in tests that have no daemon.
pub fn decoders() -> Decoders {
    let budget = Budget { limits: Limits::default(), memory: 1 << 30, time: Duration::from_secs(60) };
    Decoders::new(env!("CARGO_BIN_EXE_kellgrend-decode").into(), budget)
}

/// All that a command said.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self::with(QUICK)
    }

    pub fn with(settings: &str) -> Self {
        let sandbox = Self::bare(settings);
        std::fs::create_dir(sandbox.inbox()).expect("an inbox");
        sandbox
    }

    /// In the state folder is nothing.
    pub fn bare(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("kellgrend.toml"), settings).expect("settings");
        std::fs::create_dir(folder.path().join("state")).expect("a state folder");
        Self { folder }
    }

    /// A place beside the state folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.beside("state")
    }

    pub fn inbox(&self) -> PathBuf {
        self.state().join("inbox")
    }

    /// The binary with this sandbox's state and settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kellgrend"));
        command.args(args).stdin(Stdio::null());
        command.arg("--state").arg(self.state()).arg("--config").arg(self.beside("kellgrend.toml"));
        for name in ["KELLGREND_STATE", "KELLGREND_CONFIG", "KELLGREND_DEVICE", "KELLGREND_LOG", "KELLGREND_IMAGENET"] {
            command.env_remove(name);
        }
        // other tests want the processors, too: libtorch's threads are not to spin while they wait
        command.env("OMP_WAIT_POLICY", "passive");
        command
    }

    pub fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary starts")
    }

    pub fn daemon(&self) -> Daemon {
        self.daemon_with(&[])
    }

    /// The daemon with these environment variables.
    pub fn daemon_with(&self, variables: &[(&str, &str)]) -> Daemon {
        let mut command = self.command(&["run"]);
        command.envs(variables.iter().copied());
        self.started(command)
    }

    /// The daemon as another program starts it, which must take its place.
    pub fn daemon_under(&self, program: &[&str]) -> Daemon {
        let (run, mut command) = (self.command(&["run"]), Command::new(program[0]));
        command.args(&program[1..]).arg(run.get_program()).args(run.get_args()).stdin(Stdio::null());
        self.started(command)
    }

    fn started(&self, mut command: Command) -> Daemon {
        let log = self.beside("daemon.log");
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        let begins = file.metadata().expect("its size").len() as usize;
        let child = command.stderr(file).spawn().expect("the program starts");
        Daemon { child, log, begins }
    }

    /// What the daemon has said, in all of its starts.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.beside("daemon.log")).unwrap_or_default()
    }

    /// Put a release into service that grades a film in a tenth of the time: the starter's network, which looks once at few pixels.
    pub fn grade_quickly(&self) {
        let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/shufflenet_v2_x2_0.safetensors");
        let import: &[&str] = &["models", "import", "--name", "quick", "--image-size", "128", "--zoom", "1", weights];
        for command in [import, &["models", "promote", "quick", "--why", "time is short"]] {
            let output = self.output(command);
            assert!(output.status.success(), "{}", words(&output));
        }
    }

    /// Put a file into the inbox at once and whole, as a sender that renames does.
    pub fn drop_in(&self, name: &str, bytes: &[u8]) {
        let partial = self.inbox().join(format!(".{name}.partial"));
        std::fs::write(&partial, bytes).expect("written");
        std::fs::rename(partial, self.inbox().join(name)).expect("renamed");
    }

    /// Copy a file into the inbox slowly, as a sluggish network does.
    pub fn trickle_in(&self, name: &str, bytes: &[u8], pieces: usize, pause: Duration) {
        let mut file = File::create(self.inbox().join(name)).expect("created");
        for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
            file.write_all(piece).expect("written");
            file.flush().expect("flushed");
            std::thread::sleep(pause);
        }
    }

    pub fn ledger(&self) -> Connection {
        let path = self.state().join("ledger.db");
        let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a ledger");
        db.busy_timeout(Duration::from_secs(10)).expect("a timeout");
        db
    }

    /// One number from the ledger; 0 while there is no ledger.
    pub fn count(&self, sql: &str) -> i64 {
        if !self.state().join("ledger.db").exists() {
            return 0;
        }
        self.ledger().query_row(sql, [], |row| row.get(0)).unwrap_or(0)
    }

    /// Wait until the ledger answers `wanted`.
    pub fn until(&self, sql: &str, wanted: i64) {
        self.until_within(sql, wanted, Duration::from_secs(60));
    }

    pub fn until_within(&self, sql: &str, wanted: i64, patience: Duration) {
        let began = Instant::now();
        loop {
            let found = self.count(sql);
            if found == wanted {
                return;
            }
            assert!(began.elapsed() < patience, "{sql} is {found}, not {wanted}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Wait until the ledger answers `wanted` or more.
    pub fn until_at_least(&self, sql: &str, wanted: i64) {
        let began = Instant::now();
        while self.count(sql) < wanted {
            assert!(began.elapsed() < Duration::from_secs(60), "{sql} stays below {wanted}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The folders in the outbox, by name.
    pub fn results(&self) -> Vec<PathBuf> {
        let names = names_in(&self.state().join("outbox"));
        names
            .into_iter()
            .filter(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")))
            .collect()
    }
}

/// What lies in a folder, sorted.
pub fn names_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        folder.read_dir().map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    paths.sort();
    paths
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in names_in(folder) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

pub struct Daemon {
    child: Child,
    log: PathBuf,
    /// Where in the log this start begins.
    begins: usize,
}

impl Daemon {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Wait until it watches.
    pub fn ready(&mut self) {
        let began = Instant::now();
        while !self.log().get(self.begins..).is_some_and(|log| log.contains("watching")) {
            assert!(self.is_alive(), "the daemon ended early:\n{}", self.log());
            assert!(began.elapsed() < Duration::from_secs(60), "not ready:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Ask it to stop and wait; it must end with exit code 0.
    pub fn stop(mut self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("signalled");
        let status = self.child.wait().expect("its exit");
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    /// A line of /proc/PID/status in KiB, such as VmHWM.
    pub fn memory_kib(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find(|text| text.starts_with(line)).expect("the line");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of the shared data beside the checkout, or a visible word that it is missing.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is missing", path.display());
    None
}
