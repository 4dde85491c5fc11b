//! What happens when in a soak, in shares of its length: the same in a minute as in an hour.

use std::ops::Range;
use std::time::{Duration, Instant};

/// The reader stays in one moment of the ledger for so long.
pub const HELD: [Range<f64>; 4] = [0.10..0.14, 0.32..0.36, 0.54..0.58, 0.78..0.82];

/// Nobody listens where the mail server was.
pub const MAIL_DOWN: [Range<f64>; 4] = [0.04..0.12, 0.38..0.46, 0.53..0.66, 0.80..0.86];

/// Somebody fills the disk: it has still more room than is to be kept free, then not a byte, then too little, and then enough again.
const FILLING: Range<f64> = 0.46..0.50;
pub const FULL: Range<f64> = 0.50..0.57;
pub const CRAMPED: Range<f64> = 0.57..0.60;

/// Below `keep_free` and the alert's limit, and above both.
const LITTLE: u64 = 8 << 20;
const ENOUGH: u64 = 64 << 20;

/// How many bytes are left free; none where nobody else is on the disk. It is full from a moment on in which films are in work,
/// so that these find it so.
pub fn left_free(share: f64, is_anything_in_work: impl FnOnce() -> bool, is_full: bool) -> Option<u64> {
    match share {
        share if FULL.contains(&share) && (is_full || is_anything_in_work()) => Some(0),
        share if CRAMPED.contains(&share) => Some(LITTLE),
        share if (FILLING.start..FULL.end).contains(&share) => Some(ENOUGH),
        _ => None,
    }
}

/// Many films come at once; one time so that they are in work when the disk becomes full.
pub const BURSTS: [f64; 5] = [0.07, 0.28, 0.49, 0.70, 0.90];

/// What is compared: a calm quarter after the start's warming up, and the last one.
pub const EARLY: Range<f64> = 0.25..0.50;
pub const LATE: Range<f64> = 0.75..1.0;

pub fn is_in(spans: &[Range<f64>], share: f64) -> bool {
    spans.iter().any(|span| span.contains(&share))
}

/// How far a soak is.
#[derive(Clone, Copy)]
pub struct Clock {
    pub began: Instant,
    pub length: Duration,
}

impl Clock {
    pub fn starting(length: Duration) -> Self {
        Self { began: Instant::now(), length }
    }

    /// From 0 to 1.
    pub fn share(&self) -> f64 {
        self.began.elapsed().as_secs_f64() / self.length.as_secs_f64()
    }

    /// This often, but no more often than every so many seconds.
    pub fn times(&self, count: u32, seconds: u64) -> Every {
        Every { pause: (self.length / count).max(Duration::from_secs(seconds)), next: self.began }
    }
}

/// Something that is due again and again.
pub struct Every {
    pub pause: Duration,
    pub next: Instant,
}

impl Every {
    pub fn new(pause: Duration) -> Self {
        Self { pause, next: Instant::now() }
    }

    /// True once for each time that has come.
    pub fn is_due(&mut self) -> bool {
        let is_due = Instant::now() >= self.next;
        if is_due {
            self.next += self.pause;
        }
        is_due
    }
}
