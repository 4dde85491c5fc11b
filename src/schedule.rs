//! When something is due at times that come again, and whether a training is: a pure answer to what is known; the clock is the caller's.
//!
//! Times of a schedule are what a clock on the wall shows. Where the clock is put back, the second showing of an hour
//! is passed over; where it is put forward, the hour that is not shown is the moment of the jump. So whatever is due on
//! such a night is due once.

use croner::{Cron, Direction, parser};
use jiff::{Timestamp, ToSpan as _, civil::DateTime, tz};
use std::{fmt, time::Duration};

/// This program did not exist before, in seconds of Unix time: a clock that says so is wrong.
pub const EARLIEST: i64 = 1_760_000_000;

/// Times that come again and again, in a place's time.
#[derive(Clone, Debug)]
pub struct Schedule {
    times: Cron,
    zone: tz::TimeZone,
}

/// A process begins some seconds after it is due, and a week in which the clock is put forward is an hour shorter: so much
/// less than the pause is no reason to pass over a time, but never more than half of it.
const SLACK: Duration = Duration::from_secs(2 * 3600);

/// What must hold for a training to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// At least so many labels have come since the last one.
    pub labels: usize,
    /// At least so long after the last one's begin.
    pub pause: Duration,
}

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Up to when, inclusive, nothing is due any more: when it was last decided, or when this schedule began.
    pub decided: Timestamp,
    /// How many labels have come since the last training.
    pub new_labels: usize,
    /// When it began, if there was one.
    pub last_begun: Option<Timestamp>,
    /// Whether one is running.
    pub is_running: bool,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is due.
    Wait,
    /// Begin a training.
    Begin {
        /// When it was due.
        slot: Timestamp,
    },
    /// One is due, and passed over until the next is.
    Pass {
        /// When it was due.
        slot: Timestamp,
        /// Why it is not for now.
        why: Pass,
    },
}

/// Why a training that is due does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Another one is running.
    Running,
    /// The last one has been too short a time ago.
    TooSoon {
        /// When it began.
        begun: Timestamp,
        /// When the next may begin.
        until: Timestamp,
    },
    /// There is too little to learn.
    FewLabels {
        /// How many new labels there are.
        have: usize,
        /// How many there must be.
        needed: usize,
    },
}

impl Schedule {
    /// The same; none where the expression is empty.
    pub fn parse_any(expression: &str, zone: &str) -> Result<Option<Self>, String> {
        match expression.is_empty() {
            true => Ok(None),
            false => Self::parse(expression, zone).map(Some),
        }
    }

    /// Five fields as of cron, and the name of a time zone.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, String> {
        let fields = parser::CronParser::builder().seconds(parser::Seconds::Disallowed).year(parser::Year::Disallowed);
        let times = fields.build().parse(expression).map_err(|_| {
            format!(
                "{expression:?} is no schedule; write minute (0-59), hour (0-23), day of the month (1-31), month (1-12) \
                 and day of the week (0-7, Sunday is 0 and 7), each a number, a range as 1-5, several with commas, or * \
                 for all: \"0 22 * * 5\" is every Friday at 22:00"
            )
        })?;
        let zone = tz::TimeZone::get(zone).ok().filter(|found| !found.is_unknown()).ok_or_else(|| {
            format!(
                "{zone:?} is no time zone; write one as \"UTC\" or \"Europe/Berlin\", by its name in the IANA database"
            )
        })?;
        let schedule = Self { times, zone };
        if schedule.next(Timestamp::UNIX_EPOCH).is_none() {
            return Err(format!("{expression:?} names times that never come, like a 30th of February"));
        }
        Ok(schedule)
    }

    /// The first time after this one; none where there is no more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let shown = self.zone.to_datetime(after);
        self.times.iter_after(shown).map_while(|time| self.moment(time)).find(|slot| *slot > after)
    }

    /// The last time up to `until`, if it is after `after`. All that were missed are this one.
    pub fn last(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        // no clock is put back by more than a day: what it shows later than that is later
        let shown = self.zone.to_datetime(until).saturating_add(1.day());
        let mut slots = self.times.iter_from(shown, Direction::Backward).map_while(|time| self.moment(time));
        slots.find(|slot| *slot <= until).filter(|slot| *slot > after)
    }

    /// What is to be done now. It may be asked at any time; whoever acts on the answer lets the next facts say so.
    pub fn decide(&self, conditions: Conditions, facts: Facts, now: Timestamp) -> Decision {
        // nothing lies between the two where the clock has been put back
        let Some(slot) = self.last(facts.decided, now) else { return Decision::Wait };
        let too_soon = facts.last_begun.and_then(|begun| {
            let pause = conditions.pause - SLACK.min(conditions.pause / 2);
            let until = begun.checked_add(pause).unwrap_or(Timestamp::MAX);
            (now < until).then_some(Pass::TooSoon { begun, until })
        });
        let few = Pass::FewLabels { have: facts.new_labels, needed: conditions.labels };
        let few = (facts.new_labels < conditions.labels).then_some(few);
        match facts.is_running.then_some(Pass::Running).or(too_soon).or(few) {
            Some(why) => Decision::Pass { slot, why },
            None => Decision::Begin { slot },
        }
    }

    /// When the clock first shows this, or jumps over it.
    fn moment(&self, shown: DateTime) -> Option<Timestamp> {
        let moment = self.zone.to_ambiguous_timestamp(shown);
        let is_skipped = matches!(moment.offset(), tz::AmbiguousOffset::Gap { .. });
        let first = moment.earlier().ok()?;
        if is_skipped { self.zone.following(first).next().map(|jump| jump.timestamp()) } else { Some(first) }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => write!(f, "the last training is still running"),
            Self::TooSoon { begun, until } => {
                write!(f, "the last training began at {begun:.0}, and the next may not begin before {until:.0}")
            }
            Self::FewLabels { have, needed } => {
                write!(f, "there are too few new labels, {have} of the {needed} needed")
            }
        }
    }
}
