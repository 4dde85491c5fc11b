//! The server that files come from: where it is, how long it is waited for, what it answers.

use super::DownloadError;
use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;
use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};

/// How long a server is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For its address, and for a connection to it.
    pub connect: Duration,
    /// For the next bytes.
    pub idle: Duration,
    /// Before a failure's first repetition; doubled before each that follows.
    pub pause: Duration,
    /// How often a failure is tried again, unless a good deal has come in between.
    pub retries: u32,
}

impl Default for Patience {
    /// For lines that are slow or drop now and then: half a minute of pauses in all.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(20), idle: seconds(60), pause: seconds(1), retries: 5 }
    }
}

/// A base address and the connections to it.
#[derive(Debug)]
pub struct Origin {
    agent: ureq::Agent,
    base: String,
    patience: Patience,
}

/// What a server says when it is asked for the rest of a file.
pub(super) enum Answer {
    /// Bytes from this place on, of so many in all where it says so.
    Bytes { at: u64, total: Option<u64>, body: Box<dyn Read> },
    /// There are no bytes behind those that are here.
    NothingMore,
}

impl Origin {
    /// Files are below `base`, an http or https address. Proxies are taken from the environment, as curl does, and
    /// certificates from the system: where a clinic's firewall looks into what comes, the system trusts it.
    pub fn new(base: &str, patience: Patience) -> Result<Self, String> {
        let wrong = || format!("{base:?} is not an address such as https://mirror.example/models/");
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(secure)
            .user_agent(concat!("kellgrend/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.idle))
            .timeout_per_write(Some(patience.idle));
        // A proxy would look for this machine's own servers on itself.
        let bare = host.trim_matches(['[', ']']);
        if bare == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback()) {
            config = config.proxy(None);
        }
        let base = format!("{}/", base.trim_end_matches('/'));
        Ok(Self { agent: config.build().into(), base, patience })
    }

    /// Where a file is.
    pub fn address(&self, file: &str) -> String {
        format!("{}{file}", self.base)
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Asks for a file from its byte `have` on.
    pub(super) fn ask(&self, file: &str, have: u64) -> Result<Answer, DownloadError> {
        let url = self.address(file);
        let mut request = self.agent.get(&url);
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let response = request
            .call()
            .map_err(|error| DownloadError::Unreachable { url: url.clone(), reason: error.to_string() })?;
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| content_range(range.to_str().ok()?));
        let announced = response.body().content_length();
        let (at, total) = match (response.status(), range) {
            (StatusCode::OK, _) => (0, announced),
            (StatusCode::PARTIAL_CONTENT, Some((at, total))) => (at, total.or(announced.map(|rest| at + rest))),
            (StatusCode::RANGE_NOT_SATISFIABLE, _) if have > 0 => return Ok(Answer::NothingMore),
            (status, _) => return Err(DownloadError::Status { url, status: status.as_u16() }),
        };
        Ok(Answer::Bytes { at, total, body: Box::new(response.into_body().into_reader()) })
    }
}

/// `bytes 100-199/200`, or `*` where the server does not know how many there are: the first byte's place, and how many.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (at, _) = range.split_once('-')?;
    Some((at.trim().parse().ok()?, total.trim().parse().ok()))
}
