//! Who sends: films all the time, among them what senders should not send, and a note of what each must become.

use crate::films::{small_dicom, small_png};
use crate::hostile;
use kellgrend::digest::Digest;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The second half of a film that comes in two comes after this.
const PAUSE: Duration = Duration::from_secs(2);

/// Seeds of films from here on are this module's own.
const FIRST: u32 = 7_000_000;

/// What is on record: SHA-256 of a file's bytes and what became of it, and how often.
pub type OnRecord = BTreeMap<(String, String), u64>;

struct Sent {
    digest: Digest,
    bytes: Rc<[u8]>,
    is_film: bool,
}

pub struct Sender {
    inbox: PathBuf,
    sent: Vec<Sent>,
    hostile: Vec<Rc<[u8]>>,
    halves: Vec<(Instant, PathBuf, Vec<u8>)>,
}

impl Sender {
    pub fn new(inbox: &Path) -> Self {
        fs::create_dir_all(inbox).expect("an inbox");
        let hostile = hostile::files().into_iter().map(|(_, bytes)| bytes.into()).collect();
        Self { inbox: inbox.to_owned(), sent: Vec::new(), hostile, halves: Vec::new() }
    }

    pub fn count(&self) -> usize {
        self.sent.len()
    }

    /// The next file: most are films, one in ten is hostile, one in twenty was sent before, one in twenty comes in two halves.
    pub fn send(&mut self) {
        let number = self.sent.len();
        match number % 20 {
            0 | 10 => self.whole(small_dicom(number as u64 / 10).into(), true),
            // of every kind early on: they come in groups
            3 | 13 => self.whole(self.hostile[number / 10 * 41 % self.hostile.len()].clone(), false),
            5 => self.half(),
            17 => {
                let Sent { bytes, is_film, .. } = &self.sent[number * 7 / 10];
                self.whole(bytes.clone(), *is_film)
            }
            _ => self.whole(small_png(FIRST + number as u32).into(), true),
        }
    }

    /// Writes what is still missing of films that come in halves.
    pub fn complete(&mut self) {
        self.halves.retain(|(begun, path, rest)| {
            let is_due = begun.elapsed() >= PAUSE;
            if is_due {
                let file = File::options().append(true).open(path);
                file.and_then(|mut file| file.write_all(rest)).expect("it waits for its second half");
            }
            !is_due
        });
    }

    /// The film that was sent as the n-th.
    pub fn film(&self, n: usize) -> Digest {
        self.sent.iter().filter(|sent| sent.is_film).nth(n).expect("so many were sent").digest
    }

    /// What must be on record of all that was sent: each film published once, and a duplicate when it comes again; all else
    /// refused as often as it comes.
    pub fn expected(&self) -> OnRecord {
        let mut expected = OnRecord::new();
        for Sent { digest, is_film, .. } in &self.sent {
            let key = |end: &str| (digest.to_string(), end.to_owned());
            let is_known = *is_film && expected.contains_key(&key("published"));
            let end = if is_known {
                "duplicate"
            } else if *is_film {
                "published"
            } else {
                "refused"
            };
            *expected.entry(key(end)).or_default() += 1;
        }
        expected
    }

    fn whole(&mut self, bytes: Rc<[u8]>, is_film: bool) {
        let path = self.note(bytes.clone(), is_film);
        let partial = path.with_extension("partial");
        fs::write(&partial, bytes).and_then(|()| fs::rename(partial, path)).expect("sent");
    }

    /// A film of which the end comes later.
    fn half(&mut self) {
        let bytes: Rc<[u8]> = small_png(FIRST + self.sent.len() as u32).into();
        let path = self.note(bytes.clone(), true);
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        fs::write(&path, first).expect("sent");
        self.halves.push((Instant::now(), path, rest.to_vec()));
    }

    /// Notes what is sent; where it is to be put.
    fn note(&mut self, bytes: Rc<[u8]>, is_film: bool) -> PathBuf {
        let path = self.inbox.join(format!("{}.film", self.sent.len()));
        self.sent.push(Sent { digest: Digest::of(&bytes), bytes, is_film });
        path
    }
}
