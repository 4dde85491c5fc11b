//! Who else is there: a permanent reader of the ledger, somebody who asks how things are, and a mail server that comes and goes.

use super::plan::{Clock, HELD, is_in};
use crate::outside::get;
use crate::sandbox::{Sandbox, words};
use crate::smtp::{Manners, Smtp, Taken, closed_port};
use kellgrend::ledger::REPORTS;
use rusqlite::Connection;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Says that it is over when it is dropped, so that nobody waits for ever where the test fails.
#[derive(Default)]
pub struct Over(AtomicBool);

impl Over {
    pub fn is_over(&self) -> bool {
        self.0.load(SeqCst)
    }

    pub fn at_the_end(&self) -> impl Drop + '_ {
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        End(&self.0)
    }
}

/// Reads a few reports in one moment after another, and stays in one as the plan says. The next moment begins before the last one
/// ends, as where several people read: there is none in which nobody reads. How many moments there were.
pub fn read_all_the_time(readers: [Connection; 2], clock: &Clock, over: &Over) -> usize {
    let mut moments = 0;
    while !over.is_over() {
        let (db, former) = (&readers[moments % 2], &readers[(moments + 1) % 2]);
        db.execute_batch("BEGIN").expect("a moment");
        let before = files(db);
        if !former.is_autocommit() {
            former.execute_batch("COMMIT").expect("an end");
        }
        for at in 0..3 {
            let report = REPORTS[(moments * 3 + at) % REPORTS.len()].name;
            let mut query = db.prepare(&format!("SELECT * FROM report_{report} LIMIT 50")).expect("a report");
            let mut rows = query.query([]).expect("its rows");
            while rows.next().expect("a row").is_some() {}
        }
        std::thread::sleep(Duration::from_millis(100));
        while is_in(&HELD, clock.share()) && !over.is_over() {
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(files(db), before, "a moment does not change");
        moments += 1;
    }
    moments
}

fn files(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).expect("a number")
}

/// Asks again and again how things are, and must always be told; how often, and how often all was not well.
pub fn ask_all_the_time(sandbox: &Sandbox, address: &str, clock: &Clock, over: &Over) -> (usize, usize) {
    let (mut asked, mut unwell) = (0, 0);
    let mut due = clock.times(600, 2);
    while !over.is_over() {
        if !due.is_due() {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        }
        let status = sandbox.output(&["status"]);
        assert!(status.status.success(), "{}", words(&status));
        let (code, metrics) = get(address, "/metrics");
        assert!(code == 200 && metrics.contains("kellgrend_files_total"), "{code}: {metrics}");
        asked += 1;
        unwell += usize::from(get(address, "/healthz").0 != 200);
    }
    (asked, unwell)
}

/// A mail server that goes down and comes back, at one port.
pub struct Post {
    pub port: u16,
    servers: Vec<Smtp>,
    is_up: bool,
}

impl Post {
    pub fn new() -> Self {
        Self { port: closed_port(), servers: Vec::new(), is_up: false }
    }

    pub fn be(&mut self, up: bool) {
        match (self.is_up, up) {
            (false, true) => self.servers.push(Smtp::at(self.port, Manners::default())),
            (true, false) => self.servers.last().expect("it was up").close(),
            _ => {}
        }
        self.is_up = up;
    }

    /// All that was taken, whenever.
    pub fn taken(&self) -> Vec<Taken> {
        self.servers.iter().flat_map(Smtp::taken).collect()
    }
}
