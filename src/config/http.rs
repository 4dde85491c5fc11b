//! `[http]`

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// `[http]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the keys are documented where users read them: config/kellgrend.toml
pub struct Http {
    pub listen: Loopback,
}

/// An address that only programs on this machine can reach, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Loopback(pub Option<SocketAddr>);

impl TryFrom<String> for Loopback {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        if word.is_empty() {
            return Ok(Self(None));
        }
        let address: SocketAddr =
            word.parse().map_err(|_| format!("{word:?} is not an IP address with a port, as in \"127.0.0.1:9611\""))?;
        match address.ip().is_loopback() {
            true => Ok(Self(Some(address))),
            false => Err(format!(
                "{word:?} can be reached from other machines, and the page asks nobody who he is: it listens on 127.0.0.1 or \
                 [::1] only. To show it to others, put a proxy in front that asks for a password"
            )),
        }
    }
}

impl From<Loopback> for String {
    fn from(address: Loopback) -> String {
        address.0.map_or_else(String::new, |address| address.to_string())
    }
}
