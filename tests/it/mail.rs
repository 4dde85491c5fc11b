//! Mail: what is due, what is sent, and that nothing is lost, doubled or betrayed.

mod daemon;
mod digest;
mod due;
mod sending;

use crate::smtp::Smtp;
use jiff::{Timestamp, ToSpan as _};
use kellgrend::config::MailSettings;
use kellgrend::ledger::Ledger;
use kellgrend::mail::{Office, Signs, alert::Disk};
use std::path::Path;

/// Settings that reach a server at a port of this machine without encryption.
pub fn open_settings(port: u16) -> String {
    format!(
        "[mail]\nserver = \"localhost\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Knees <kellgrend@clinic.example>\"\n\
         to = [\"it@clinic.example\"]\n"
    )
}

fn settings(text: &str) -> MailSettings {
    kellgrend::config::Settings::parse(text, Path::new("kellgrend.toml")).expect("valid settings").mail
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// A mail room with a ledger of its own.
struct Room {
    folder: tempfile::TempDir,
    ledger: Ledger,
    office: Office,
    now: Timestamp,
}

impl Room {
    fn new(text: &str, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path).expect("a ledger");
        let office = Office::open(&settings(text), ledger.clone(), path, "clinic-a".into(), now);
        Self { folder, ledger, office: office.expect("a mail room").expect("that is open"), now }
    }

    fn look(&mut self, signs: &Signs) {
        self.office.look(signs, self.now).expect("a look");
    }

    /// Looks every so many minutes.
    fn look_for(&mut self, hours: i64, every_minutes: i64, signs: &Signs) {
        let until = self.now + hours.hours();
        while self.now < until {
            self.now += every_minutes.minutes();
            self.look(signs);
        }
    }

    fn count(&self, sql: &str) -> i64 {
        let db = Ledger::read(&self.folder.path().join("ledger.db")).expect("a ledger");
        db.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    fn text(&self, sql: &str) -> String {
        let db = Ledger::read(&self.folder.path().join("ledger.db")).expect("a ledger");
        db.query_row(sql, [], |row| row.get(0)).expect("a text")
    }
}

/// Little is free.
fn low_disk() -> Signs {
    Signs { disks: vec![Disk { folder: "state".into(), free: 1 << 30, keep_free: 0 }], ..Signs::default() }
}

fn subjects(server: &Smtp) -> Vec<String> {
    server.taken().iter().map(|mail| mail.subject().replace("kellgrend on clinic-a: ", "")).collect()
}
