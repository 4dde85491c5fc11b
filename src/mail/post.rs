//! To the mail server, and what it answers, in plain words.

use super::letter::Letter;
use crate::config::{MailSettings, Security};
use lettre::Transport as _;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SmtpTransport};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the server may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server says where it wants another user or password.
const OF_LOGIN: [&str; 4] = ["530", "534", "535", "538"];

/// Where `password_file` without a path is looked for, as systemd says it.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Why a mail was not taken: sentences that name server or file, and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostError(String);

impl From<String> for PostError {
    fn from(words: String) -> Self {
        Self(words)
    }
}

/// What a server has taken.
#[derive(Debug)]
pub struct Accepted {
    /// Its answer.
    pub answer: String,
    /// The readers for whom it has not taken the mail, and why.
    pub refused: Vec<String>,
}

/// Hand a mail to the server. Blocks, for some time if the server is slow. Files are read anew each time.
///
/// A server refuses a mail to several readers as a whole where it knows one of them not: then it goes to each of them by itself, since
/// the others are not to hear less for one that has left.
pub fn send(settings: &MailSettings, letter: &Letter) -> Result<Accepted, PostError> {
    let transport = transport(settings).map_err(PostError)?;
    let (envelope, bytes) = (letter.message().envelope(), letter.message().formatted());
    let (answer, refused) = match transport.send_raw(envelope, &bytes) {
        Err(error) if is_of_a_reader(&error) && envelope.to().len() > 1 => {
            let (mut taken, mut refused) = (None, Vec::new());
            for to in envelope.to() {
                let alone =
                    Envelope::new(envelope.from().cloned(), vec![to.clone()]).map_err(|error| error.to_string())?;
                match transport.send_raw(&alone, &bytes) {
                    Ok(answer) => taken = Some(answer),
                    // one who cannot have it for now, either: the others are not to get it again and again until they can
                    Err(error) => refused.push(format!("{to}: {}", words(settings, &error))),
                }
            }
            (taken.ok_or(error), refused)
        }
        outcome => (outcome, Vec::new()),
    };
    let answer = answer.map_err(|error| PostError(words(settings, &error)))?;
    let answer = format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "));
    Ok(Accepted { answer, refused })
}

/// Whether it may be about one reader. About user and password (RFC 4954 section 6) it is not: they would be tried in vain.
fn is_of_a_reader(error: &Error) -> bool {
    error.is_permanent() && error.status().is_some_and(|code| !OF_LOGIN.contains(&code.to_string().as_str()))
}

/// What settings name beside themselves, read to see whether it can be.
pub fn check(settings: &MailSettings) -> Result<(), PostError> {
    transport(settings).map(drop).map_err(PostError)
}

/// The server as messages name it.
pub fn server(settings: &MailSettings) -> String {
    format!("{}:{}", settings.server, settings.port())
}

fn transport(settings: &MailSettings) -> Result<SmtpTransport, String> {
    let tls = match settings.security {
        Security::None => Tls::None,
        Security::Starttls => Tls::Required(parameters(settings)?),
        Security::Tls => Tls::Wrapper(parameters(settings)?),
    };
    let mut builder = SmtpTransport::builder_dangerous(&settings.server)
        .port(settings.port())
        .tls(tls)
        .hello_name(ClientId::Domain(super::host()))
        .timeout(Some(PATIENCE));
    if !settings.user.is_empty() {
        let password = password(&settings.password_file)?;
        builder = builder.credentials(Credentials::new(settings.user.clone(), password));
    }
    Ok(builder.build())
}

/// The system's authorities vouch for the server, and the one in `ca_file`.
fn parameters(settings: &MailSettings) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(settings.server.clone());
    let file = &settings.ca_file;
    if !file.as_os_str().is_empty() {
        let unusable = |why: String| {
            format!("[mail] ca_file: {} cannot be used: {why}. A certificate in PEM form is meant", file.display())
        };
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        if !pem.windows(11).any(|window| window == b"-----BEGIN ") {
            return Err(unusable("there is no certificate in it".to_owned()));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build_rustls().map_err(|error| format!("no TLS can be spoken: {error}"))
}

/// The file's text without its line end. What is no whole path is not repeated: it may be the password itself.
fn password(file: &Path) -> Result<String, String> {
    let (path, shown) = if file.is_absolute() {
        (file.to_owned(), file.display().to_string())
    } else {
        let folder = std::env::var_os(CREDENTIALS).map(PathBuf::from).ok_or(
            "[mail] password_file: what is no whole path is the NAME of a systemd credential, which only a service has whose \
             unit says LoadCredential=NAME:FILE (docs/mail.md shows how to try it from a shell); a whole path, from /, names a file",
        )?;
        (folder.join(file), "the systemd credential of that name".to_owned())
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("[mail] password_file: {shown} cannot be read: {error}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// What went wrong, and where to look.
fn words(settings: &MailSettings, error: &Error) -> String {
    let server = server(settings);
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let said = said.trim_end_matches('.');
    if let Some(code) = error.status() {
        let code = code.to_string();
        return match code.as_str() {
            code if OF_LOGIN.contains(&code) => {
                format!(
                    "{server} does not accept user and password ({code} {said}). Check [mail] user and password_file"
                )
            }
            _ if error.is_permanent() => {
                format!(
                    "{server} refuses the mail ({code} {said}). Check [mail] from and to, and what the server lets through"
                )
            }
            _ => format!("{server} cannot take the mail for now ({code} {said})"),
        };
    }
    if said.contains("certificate") {
        return format!(
            "{server} shows a certificate that nobody here vouches for ({said}). [mail] ca_file names the certificate of a \
             private authority; server must be the name that the certificate is for"
        );
    }
    let hint = "Check [mail] server, port and security, and the way through the firewall";
    if error.is_timeout() || said.contains("(os error 11)") {
        format!("{server} does not answer within {} s. {hint}", PATIENCE.as_secs())
    } else if error.is_client() {
        format!("{server} does not offer what is needed ({said}). Check [mail] security and user")
    } else {
        format!("{server} cannot be talked to ({said}). {hint}")
    }
}
