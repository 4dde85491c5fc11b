//! Which weeks are compared.

use jiff::{ToSpan as _, civil::Date};
use std::fmt;

/// How many days of what was said first are the reference: eight weeks, each weekday as often as the others, enough for some
/// hundred knees in a small clinic and too short for a season to lie in it.
pub const REFERENCE: i64 = 56;
/// How many of the last days are held against them: four weeks, so that a change is seen within a month and one odd day is
/// not taken for one.
pub const RECENT: i64 = 28;

/// Days, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Date,
    /// The one after the last.
    pub until: Date,
}

/// What is held against what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The first weeks.
    pub reference: Span,
    /// The last ones; none of these days is in the reference.
    pub recent: Span,
}

/// There are no two spans to compare yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon {
    /// From this day on there will be.
    pub from: Date,
}

impl Spans {
    /// The spans for a release that graded first on this day. A reference may be shorter while the release is young, but not
    /// shorter than what it is held against. Today is not over and counts for nothing.
    pub fn of(first: Date, today: Date) -> Result<Self, TooSoon> {
        let recent = Span { from: today.saturating_sub(RECENT.days()), until: today };
        let least = first.saturating_add(RECENT.days());
        if recent.from < least {
            return Err(TooSoon { from: least.saturating_add(RECENT.days()) });
        }
        let reference = Span { from: first, until: first.saturating_add(REFERENCE.days()).min(recent.from) };
        Ok(Self { reference, recent })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.until.saturating_sub(1.day()))
    }
}
