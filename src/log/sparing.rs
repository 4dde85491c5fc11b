//! Whatever is said again and again is said less and less often.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// What has been said is said again after this at the soonest, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// But so often at least.
const LAST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// So many sayings are remembered.
const MEMORY: usize = 256;

/// The field that marks the one line on how a file ended: each is said.
const END: &str = "outcome";

/// Passes on to a layer what is not said too often.
pub(super) struct Sparing<L> {
    to: L,
    sayings: Mutex<Sayings>,
}

impl<L> Sparing<L> {
    pub(super) fn new(to: L) -> Self {
        Self { to, sayings: Mutex::default() }
    }
}

impl<S: Subscriber, L: Layer<S>> Layer<S> for Sparing<L> {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let is_end = metadata.fields().field(END).is_some();
        if *metadata.level() > Level::WARN || is_end || metadata.target() == module_path!() {
            return self.to.on_event(event, context);
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let say = {
            let mut sayings = self.sayings.lock().unwrap_or_else(PoisonError::into_inner);
            sayings.judge(message.0, Instant::now())
        };
        let Say::It { left_out } = say else { return };
        self.to.on_event(event, context);
        if left_out > 0 {
            // an event of its own, since another's fields cannot be added to
            tracing::warn!(left_out, "the last message came {left_out} more times since it was said before");
        }
    }
}

/// An event's words, without its fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // writing into a string cannot fail
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Whether a saying is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Yes; so many times it was not since it was said last.
    It {
        /// The times.
        left_out: u64,
    },
    /// Not now.
    Nothing,
}

/// What has been said, and when it may be said again. Pure: the clock is the caller's.
#[derive(Debug, Default)]
pub struct Sayings(HashMap<String, Saying>);

#[derive(Debug)]
struct Saying {
    due: Instant,
    pause: Duration,
    left_out: u64,
}

impl Sayings {
    /// Somebody would say this now.
    pub fn judge(&mut self, words: String, now: Instant) -> Say {
        if let Some(saying) = self.0.get_mut(&words) {
            if now < saying.due {
                saying.left_out += 1;
                return Say::Nothing;
            }
            // what has stayed away for as long again is over, and begins anew
            let is_over = now > saying.due + saying.pause;
            saying.pause = if is_over { FIRST_PAUSE } else { (saying.pause * 2).min(LAST_PAUSE) };
            saying.due = now + saying.pause;
            return Say::It { left_out: std::mem::take(&mut saying.left_out) };
        }
        if self.0.len() >= MEMORY {
            self.0.retain(|_, saying| now < saying.due);
        }
        // where so many different things go wrong at a time, the rest is said each time it comes
        if self.0.len() < MEMORY {
            self.0.insert(words, Saying { due: now + FIRST_PAUSE, pause: FIRST_PAUSE, left_out: 0 });
        }
        Say::It { left_out: 0 }
    }
}
