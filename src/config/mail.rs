//! `[mail]`

use super::choices::{a_count, at_least_one};
use crate::schedule::Schedule;
use bytesize::ByteSize;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `[mail]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the keys are documented where users read them: config/kellgrend.toml
pub struct MailSettings {
    pub server: String,
    pub port: u16,
    pub security: Security,
    pub ca_file: PathBuf,
    pub user: String,
    pub password_file: PathBuf,
    pub from: String,
    pub to: Vec<String>,
    #[serde(deserialize_with = "at_least_one")]
    pub at_most: u32,
    pub digest: String,
    pub time_zone: String,
    pub alerts: AlertSettings,
}

/// `[mail.alerts]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct AlertSettings {
    #[serde(with = "humantime_serde")]
    pub again_after: Duration,
    pub disk: ByteSize,
    #[serde(with = "humantime_serde")]
    pub inbox: Duration,
    #[serde(with = "humantime_serde")]
    pub networks: Duration,
    #[serde(with = "humantime_serde")]
    pub results: Duration,
    #[serde(deserialize_with = "a_count")]
    pub quarantined: usize,
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
    pub labels: bool,
    pub training: bool,
}

/// How the connection to the mail server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins in the open and is encrypted before anything is said; a server that cannot is refused.
    #[default]
    Starttls,
    /// It is encrypted from the first byte on.
    Tls,
    /// It is not; only to a server on this machine.
    None,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: 0,
            security: Security::default(),
            ca_file: PathBuf::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
            to: Vec::new(),
            at_most: 20,
            digest: String::new(),
            time_zone: "UTC".to_owned(),
            alerts: AlertSettings::default(),
        }
    }
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            again_after: Duration::from_secs(6 * 3600),
            disk: ByteSize::gib(5),
            inbox: Duration::from_secs(15 * 60),
            networks: Duration::from_secs(2 * 60),
            results: Duration::from_secs(15 * 60),
            quarantined: 50,
            idle: Duration::ZERO,
            labels: true,
            training: true,
        }
    }
}

impl MailSettings {
    /// Whether mail is sent at all.
    pub fn is_on(&self) -> bool {
        !self.server.is_empty()
    }

    /// `port`, with 0 resolved to the usual one.
    pub fn port(&self) -> u16 {
        match (self.port, self.security) {
            (0, Security::Starttls) => 587,
            (0, Security::Tls) => 465,
            (0, Security::None) => 25,
            (port, _) => port,
        }
    }

    /// When digests are due; none where there are none.
    pub fn schedule(&self) -> Result<Option<Schedule>, String> {
        Schedule::parse_any(&self.digest, &self.time_zone)
    }

    /// Both in words, by which one schedule is told from another.
    pub fn schedule_in_words(&self) -> String {
        format!("{} {}", self.digest, self.time_zone)
    }

    /// What the types do not say. What is written as server or as password_file is not repeated: a password may be in it.
    pub(super) fn check(&self) -> Result<(), String> {
        self.schedule().map_err(|error| format!("[mail] digest and time_zone: {error}"))?;
        if !self.is_on() {
            return Ok(());
        }
        let address = |key: &str, text: &str| match text.parse::<Mailbox>() {
            Ok(_) => Ok(()),
            Err(_) => Err(format!(
                "[mail] {key}: {text:?} is no address; write one as \"kellgrend@clinic.example\" or \"Knees \
                 <kellgrend@clinic.example>\""
            )),
        };
        address("from", &self.from)?;
        if self.to.is_empty() {
            return Err("[mail] to: nobody is named; write a list of addresses as [\"it@clinic.example\"]".to_owned());
        }
        self.to.iter().try_for_each(|to| address("to", to))?;
        let is_host = self.server.parse::<IpAddr>().is_ok()
            || !self.server.contains(|c: char| c.is_whitespace() || ":/[]@".contains(c));
        if !is_host {
            return Err("[mail] server: this is no name of a machine; write mail.clinic.example, and the port, where it is not the \
                        usual one, as port = 25"
                .to_owned());
        }
        if self.security == Security::None && !["localhost", "127.0.0.1", "::1"].contains(&self.server.as_str()) {
            return Err("[mail] security: \"none\" is for a server on this machine (localhost), and this one is another: mails and \
                        password could be read on the way. Write \"starttls\" or \"tls\"; ca_file names the certificate of a \
                        private authority"
                .to_owned());
        }
        if self.user.is_empty() != self.password_file.as_os_str().is_empty() {
            let missing = if self.user.is_empty() { "user" } else { "password_file" };
            return Err(format!("[mail] {missing}: user and password_file go together; write both or none"));
        }
        let is_name = self.password_file.components().count() <= 1;
        if !self.password_file.is_absolute() && !is_name {
            return Err("[mail] password_file: this path depends on where the program stands; write the whole path from /, or the \
                        bare name of a systemd credential"
                .to_owned());
        }
        let whole = |path: &Path| path.as_os_str().is_empty() || path.is_absolute();
        match whole(&self.ca_file) {
            true => Ok(()),
            false => Err(format!("[mail] ca_file: write the whole path from /, not {}", self.ca_file.display())),
        }
    }
}
