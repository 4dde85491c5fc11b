//! `kellgrend mail`

use super::export::export;
use super::table::Style;
use super::{Exit, Failure, Global, usage};
use crate::config::MailSettings;
use crate::ledger::{MailContent, REPORTS, Window};
use crate::mail::{Letter, host, message_id, post};
use jiff::Timestamp;
use std::io::Write as _;

/// Show what mails wait and which were sent, or send a test mail at once
///
/// Mails are rows of the ledger first: a mail server that is down delays them, and loses none. [mail] in the settings says who is
/// told, by which server, and of what: a digest on a schedule, and alerts when the disk is nearly full, the inbox cannot be
/// read, the GPU is gone, the networks fail, results cannot be written, many files are refused, nothing is graded, a list of
/// labels is refused, a training has ended, or a start was refused.
#[derive(Debug, clap::Args)]
pub(super) struct Mail {
    /// Send a test mail now, past all waiting, and say what the server answers; exit code 1 if it was not taken for everybody
    #[arg(long)]
    test: bool,
    /// At most this many mails, the newest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "test")]
    limit: u64,
}

impl Mail {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (settings, state) = global.load()?;
        if self.test {
            return test(&settings.mail);
        }
        let mut out = std::io::stdout().lock();
        if !settings.mail.is_on() {
            writeln!(out, "mail is off; {OFF}")?;
        }
        let Some(report) = REPORTS.iter().find(|report| report.name == "mail") else { return Ok(Exit::Done) };
        let mut table = report.read(&state.ledger, Window::default(), Some(self.limit))?;
        if table.rows.is_empty() {
            writeln!(out, "no mails yet")?;
            return Ok(Exit::Done);
        }
        table.keep_columns(report.narrow);
        drop(out);
        export(&table, Style::Table, None)?;
        Ok(Exit::Done)
    }
}

const OFF: &str = "name server, from and to in [mail] of the settings file to turn it on";

fn test(settings: &MailSettings) -> Result<Exit, Failure> {
    if !settings.is_on() {
        return Err(usage(anyhow::anyhow!("mail is off; {OFF}")));
    }
    let (host, now) = (host(), Timestamp::now());
    let content = MailContent {
        message_id: message_id(&settings.from, &host, "test", now),
        subject: format!("kellgrend on {host}: a test mail"),
        text: format!(
            "This is a test: mail from kellgrend on {host} arrives here. Alerts and digests will, too, as [mail] in the \
             settings says."
        ),
        html: None,
        pictures: Vec::new(),
    };
    let letter = Letter::new(settings, &content, now).map_err(anyhow::Error::msg)?;
    match post::send(settings, &letter) {
        Ok(post::Accepted { answer, refused }) => {
            let whom = if refused.is_empty() { settings.to.join(", ") } else { "some of its readers".to_owned() };
            println!("{} has taken the test mail to {whom}: {answer}", post::server(settings));
            refused.iter().for_each(|reader| eprintln!("kellgrend: but not to {reader}."));
            Ok(if refused.is_empty() { Exit::Done } else { Exit::Refused })
        }
        Err(error) => {
            eprintln!("kellgrend: the test mail was not sent: {error}.");
            Ok(Exit::Refused)
        }
    }
}
