//! Mail: alerts and digests, to people who watch nothing.
//!
//! A mail is a row of the ledger before it is sent, and is sent until a server has taken it. What is due is decided from
//! facts, purely; nobody waits for mail. No mail says who a patient is.

pub mod alert;
pub mod digest;
pub mod due;
mod letter;
mod office;
pub mod post;
pub mod refusal;

pub use letter::{Letter, message_id};
pub use office::{MailError, Office, Signs};

use std::path::Path;

/// A mail's text, with what its commands need.
fn with_option(text: String, state: &Path) -> String {
    if text.contains("`kellgrend ") { format!("{text}\n\n{}", state_option(state)) } else { text }
}

/// What commands in a mail need besides: whoever tries them as another user, or as root, would look into an empty folder of their own.
fn state_option(state: &Path) -> String {
    format!("Commands need `--state {}` here.", state.display())
}

/// The name of this machine, which tells one clinic's mails from another's.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
