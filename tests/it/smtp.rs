//! A small mail server on this machine: plain, STARTTLS or TLS, with a password or without, and with bad manners.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server talks.
#[derive(Clone, Default)]
pub struct Manners {
    /// Whether it offers STARTTLS.
    pub starttls: bool,
    /// Whether it speaks TLS from the first byte on.
    pub tls: bool,
    /// User and password that it insists on.
    pub login: Option<(&'static str, &'static str)>,
    /// It takes mails, and hangs up before it says so.
    pub hangs_up: Arc<AtomicBool>,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Taken {
    pub to: Vec<String>,
    pub is_encrypted: bool,
    pub data: Vec<u8>,
}

pub struct Smtp {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
    ended: Arc<AtomicBool>,
    authority: String,
}

trait Line: Read + Write + Send {}
impl<T: Read + Write + Send> Line for T {}

impl Smtp {
    pub fn new(manners: Manners) -> Self {
        Self::at(0, manners)
    }

    /// At a port of this machine, such as one at which nobody has listened so far.
    pub fn at(port: u16, manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
        let address = listener.local_addr().expect("an address");
        let (taken, ended) = (Arc::<Mutex<Vec<Taken>>>::default(), Arc::<AtomicBool>::default());
        let (authority, config) = certified();
        let (log, end) = (taken.clone(), ended.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, manners, config) = (log.clone(), manners.clone(), config.clone());
                // A client that goes away in the middle is part of the tests.
                std::thread::spawn(move || serve(stream, &manners, config, &log));
            }
        });
        Self { address, taken, ended, authority }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate that vouches for it, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().expect("no panic").clone()
    }

    /// Goes down: whoever comes from now on finds nobody. What was taken can still be asked for.
    pub fn close(&self) {
        self.ended.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.close();
    }
}

impl Taken {
    /// One line of the mail's head.
    pub fn header(&self, name: &str) -> String {
        let message = mail_parser::MessageParser::default().parse(&self.data).expect("a mail");
        message.header_raw(name).expect("the line").trim().to_owned()
    }

    pub fn subject(&self) -> String {
        let message = mail_parser::MessageParser::default().parse(&self.data).expect("a mail");
        message.subject().expect("a subject").to_owned()
    }

    /// All that a reader could see in it, decoded, and the mail as it came.
    pub fn words(&self) -> String {
        let message = mail_parser::MessageParser::default().parse(&self.data).expect("a mail");
        let texts = message.parts.iter().map(|part| String::from_utf8_lossy(part.contents()).into_owned());
        texts.chain([String::from_utf8_lossy(&self.data).into_owned()]).collect::<Vec<_>>().join("\n")
    }
}

/// A port at which nobody listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A private authority, and what a server shows that it vouches for.
fn certified() -> (String, Arc<ServerConfig>) {
    let key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let server = server.signed_by(&key, &issuer).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], key)
        .expect("a pair");
    (pem, Arc::new(config))
}

fn serve(stream: TcpStream, manners: &Manners, config: Arc<ServerConfig>, log: &Mutex<Vec<Taken>>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let encrypted = |stream| {
        let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        Ok::<_, io::Error>(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Line>)
    };
    let plain = stream.try_clone()?;
    let mut is_encrypted = manners.tls;
    let mut line = if manners.tls { encrypted(stream)? } else { Box::new(stream) };
    let mut is_known = manners.login.is_none();
    let mut to = Vec::new();
    say(&mut line, "220 localhost ready")?;
    loop {
        let told = hear(&mut line)?;
        let word = told.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "EHLO" => {
                let starttls = if manners.starttls && !is_encrypted { "250-STARTTLS\r\n" } else { "" };
                say(&mut line, &format!("250-localhost\r\n{starttls}250 AUTH PLAIN"))?;
            }
            "STARTTLS" if manners.starttls => {
                say(&mut line, "220 go ahead")?;
                line = encrypted(plain.try_clone()?)?;
                is_encrypted = true;
            }
            "AUTH" => {
                let said = base64::prelude::BASE64_STANDARD.decode(told.rsplit(' ').next().unwrap_or_default());
                let wanted = manners.login.map(|(user, password)| format!("\0{user}\0{password}").into_bytes());
                is_known = said.ok() == wanted;
                say(&mut line, if is_known { "235 2.7.0 welcome" } else { "535 5.7.8 bad credentials" })?;
            }
            "MAIL" if !is_known => say(&mut line, "530 5.7.0 authentication required")?,
            "MAIL" => say(&mut line, "250 2.1.0 ok")?,
            "RCPT" if told.contains("nobody@") => say(&mut line, "550 5.1.1 no such user here")?,
            "RCPT" => {
                to.push(told.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                say(&mut line, "250 2.1.5 ok")?;
            }
            "DATA" => {
                say(&mut line, "354 go ahead")?;
                let mut data = String::new();
                loop {
                    match hear(&mut line)?.as_str() {
                        "." => break,
                        text => data += &format!("{}\r\n", text.strip_prefix('.').unwrap_or(text)),
                    }
                }
                let data = data.into_bytes();
                log.lock().expect("no panic").push(Taken { to: std::mem::take(&mut to), is_encrypted, data });
                if manners.hangs_up.load(Ordering::SeqCst) {
                    return Ok(());
                }
                say(&mut line, "250 2.0.0 queued as 12345")?;
            }
            "QUIT" => return say(&mut line, "221 2.0.0 bye"),
            _ => say(&mut line, "502 5.5.2 what?")?,
        }
    }
}

fn say(line: &mut Box<dyn Line>, text: &str) -> io::Result<()> {
    line.write_all(format!("{text}\r\n").as_bytes())?;
    line.flush()
}

/// One line, without its end.
fn hear(line: &mut Box<dyn Line>) -> io::Result<String> {
    let mut heard = Vec::new();
    let mut byte = [0];
    loop {
        line.read_exact(&mut byte)?;
        match byte[0] {
            b'\n' => return Ok(String::from_utf8_lossy(&heard).into_owned()),
            b'\r' => {}
            byte => heard.push(byte),
        }
    }
}
