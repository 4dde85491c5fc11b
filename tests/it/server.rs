//! A small HTTP server on this machine, with the good and bad manners that servers and networks have.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// As asked, ranges too.
    Well,
    /// Everything from the beginning, whatever was asked.
    Whole,
    /// The connection closes after so many bytes of those that were announced.
    Cut(usize),
    /// After so many bytes nothing more comes.
    Stall(usize),
    /// A little at a time.
    Slowly,
    /// With this status and no file.
    Status(u16),
    /// With the announcement of so many bytes.
    Announce(u64),
    /// All from the beginning, with no word on how much it is.
    Unannounced,
}

/// What was asked: the path, and the first byte of the range if there was one.
pub type Asked = (String, Option<usize>);

pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves these bytes under every name; the first request in the first manner, the last manner for all that follow.
    pub fn new(bytes: Vec<u8>, manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, bytes, manners) = (asked.clone(), Arc::new(bytes), manners.to_vec());
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let manner = manners[number.min(manners.len() - 1)];
                let (log, bytes) = (log.clone(), bytes.clone());
                // A client that goes away in the middle is part of the tests.
                std::thread::spawn(move || answer(stream, manner, &bytes, &log));
            }
        });
        Self { address, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}/models/", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// An address of this machine at which nobody listens.
pub fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}/models/", listener.local_addr().expect("an address"))
}

fn answer(stream: TcpStream, manner: Manner, bytes: &[u8], log: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let (mut path, mut from) = (String::new(), None);
    for (number, line) in BufReader::new(&stream).lines().enumerate() {
        let line = line?.to_lowercase();
        match line.strip_prefix("range: bytes=") {
            _ if line.is_empty() => break,
            _ if number == 0 => path = line.split(' ').nth(1).unwrap_or_default().to_owned(),
            Some(range) => from = range.trim_end_matches('-').parse().ok(),
            None => {}
        }
    }
    log.lock().expect("no panic").push((path, from));
    let mut out = &stream;
    let at = if matches!(manner, Manner::Whole | Manner::Unannounced) { 0 } else { from.unwrap_or(0) };
    let length = match manner {
        Manner::Status(status) => {
            return write!(out, "HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
        Manner::Announce(length) => Some(length),
        Manner::Unannounced => None,
        _ if at > 0 && at >= bytes.len() => {
            let of = bytes.len();
            let range = format!("Content-Range: bytes */{of}\r\nContent-Length: 0\r\nConnection: close\r\n");
            return write!(out, "HTTP/1.1 416 No\r\n{range}\r\n");
        }
        _ => Some((bytes.len() - at) as u64),
    };
    match at {
        0 => write!(out, "HTTP/1.1 200 OK\r\n")?,
        _ => write!(out, "HTTP/1.1 206 OK\r\nContent-Range: bytes {at}-{}/{}\r\n", bytes.len() - 1, bytes.len())?,
    }
    if let Some(length) = length {
        write!(out, "Content-Length: {length}\r\n")?;
    }
    write!(out, "Connection: close\r\n\r\n")?;
    let rest = &bytes[at..];
    match manner {
        Manner::Cut(count) => out.write_all(&rest[..count.min(rest.len())]),
        Manner::Stall(count) => {
            out.write_all(&rest[..count.min(rest.len())])?;
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        Manner::Slowly => rest.chunks(1 << 14).try_for_each(|piece| {
            std::thread::sleep(Duration::from_millis(20));
            out.write_all(piece)
        }),
        _ => out.write_all(rest),
    }
}
