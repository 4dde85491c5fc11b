//! How the daemon is seen from outside: a page, `/healthz` and `/metrics` on this machine, `status.json`, systemd.
//!
//! All of them tell of one [`Snapshot`], made from what the work counts ([`crate::gauges`]) and from a look around.

mod file;
pub mod health;
mod metrics;
mod page;
mod process;
mod server;
mod snapshot;
mod surroundings;
mod systemd;

pub use file::read;
pub use process::Process;
pub use server::answer;
pub use snapshot::{Disk, Snapshot};
pub use systemd::status_line;

use crate::config::Http;
use crate::state::State;
use crate::station::Station;
use anyhow::Context as _;
use health::{Ill, Signs};
use jiff::Timestamp;
use metrics::Measures;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};
use surroundings::Surroundings;
use tokio::sync::oneshot;

/// `status.json` and systemd are told so often.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The daemon, seen from outside.
pub struct Outside {
    station: Arc<Station>,
    started_at: Timestamp,
    surroundings: Arc<Surroundings>,
    measures: Measures,
    /// Where the page listens.
    page: OnceLock<SocketAddr>,
    /// While it is there, somebody looks around.
    _end: mpsc::Sender<()>,
}

impl Outside {
    /// Begins to look around, and to serve the page if there is to be one. Each has a thread of its own: neither a folder that
    /// does not answer nor a hostile client holds up who watches over the work.
    pub fn open(station: Arc<Station>, http: &Http) -> anyhow::Result<Arc<Self>> {
        let surroundings = Arc::new(Surroundings::default());
        let (end, ended) = mpsc::channel();
        let (look, of) = (surroundings.clone(), station.clone());
        let (state, ledger, device) = (of.state.clone(), of.ledger.clone(), of.device.clone());
        std::thread::Builder::new()
            .name("lookout".into())
            .spawn(move || look.keep_looking(&state, &ledger, &device, &ended))
            .context("the lookout thread cannot be started")?;
        let outside = Arc::new(Self {
            measures: Measures::new(station.gauges.registry()),
            station,
            started_at: Timestamp::now(),
            surroundings,
            page: OnceLock::new(),
            _end: end,
        });
        if let Some(address) = http.listen.0 {
            let outside = Arc::downgrade(&outside);
            std::thread::Builder::new()
                .name("page".into())
                .spawn(move || server::run(address, &outside))
                .context("the page's thread cannot be started")?;
        }
        Ok(outside)
    }

    /// Tells `status.json` and systemd how things are, until the other end of `ended` is gone. The watchdog is fed while nothing hangs; it
    /// starves, too, when the runtime that this runs on does.
    pub async fn run(self: Arc<Self>, mut ended: oneshot::Receiver<()>) {
        let watchdog = sd_notify::watchdog_enabled();
        let every = watchdog.map_or(TELL_EVERY, |limit| (limit / 3).clamp(Duration::from_millis(100), TELL_EVERY));
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = &mut ended => break,
                _ = tick.tick() => {}
            }
            let (snapshot, ills) = self.now();
            if ills.iter().any(Ill::is_no_films_fault) {
                // systemd's watchdog may abort this for a share that hangs: no film is suspected for it
                State::mark_no_aborts();
            }
            systemd::tell(&snapshot, watchdog.is_some() && !ills.iter().any(Ill::is_hang));
            let state = self.station.state.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || file::write(&state, &snapshot)).await {
                tracing::warn!("status.json cannot be written: {error}");
            }
        }
        file::forget(&self.station.state);
    }

    /// How things are.
    pub fn snapshot(&self) -> Snapshot {
        self.now().0
    }

    /// All metrics, in Prometheus's text format.
    pub fn metrics(&self) -> String {
        self.measures.text(&self.snapshot(), &self.station.gauges)
    }

    fn now(&self) -> (Snapshot, Vec<Ill>) {
        let (gauges, desk, now) = (&self.station.gauges, self.station.desk(), Instant::now());
        let seen = self.surroundings.seen();
        let ills = health::ills(&Signs {
            ledger: seen.ledger,
            is_inbox_reachable: gauges.inbox_reachable.get() == 1,
            is_held: gauges.inbox_held.get() == 1,
            stuck: gauges.stuck(now),
            stands_still: gauges.stands_still(now),
            are_networks_gone: desk.grading.is_gone(),
            unseen: now.saturating_duration_since(seen.at),
        });
        let snapshot = Snapshot {
            at: Timestamp::now(),
            pid: std::process::id(),
            version: crate::VERSION.to_owned(),
            started_at: self.started_at,
            page: self.page.get().map(|address| format!("http://{address}/")),
            release: desk.release.name().to_owned(),
            members_missing: desk.missing,
            device: desk.device.clone(),
            ills: ills.iter().map(ToString::to_string).collect(),
            is_ledger_writable: !ills.iter().any(|ill| matches!(ill, Ill::Ledger(_))),
            is_inbox_reachable: gauges.inbox_reachable.get() == 1,
            inbox: gauges.inbox_waiting.get().try_into().unwrap_or_default(),
            in_work: gauges.in_work(),
            device_waiting: gauges.device_waiting(),
            files: gauges.files(),
            knees: gauges.knees(),
            last_progress: gauges.last_progress(),
            mails_waiting: seen.mails_waiting,
            disks: seen.disks,
            device_memory: seen.device_memory,
            training: seen.training,
            process: Process::now(),
        };
        (snapshot, ills)
    }
}
