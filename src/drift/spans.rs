//! Which weeks are compared.

use jiff::{ToSpan as _, civil::Date};
use std::fmt;

/// How many days of what was said first are the reference: eight weeks, each weekday as often as the others, enough for some
/// hundred knees in a small clinic and too short for a season to lie in it.
pub const REFERENCE: i64 = 56;
/// How many of the last days are held against them: four weeks, so that a change is seen within a month and one odd day is
/// not taken for one.
pub const RECENT: i64 = 28;
/// And how many days before these: twelve weeks, so that what changed long ago is told from what changes now.
pub const MONTHS: i64 = 84;

/// Days, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: Date,
    /// The one after the last.
    pub until: Date,
}

/// What the last weeks are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The release's first weeks here, its reference.
    FirstWeeks,
    /// The months just before.
    MonthsBefore,
}

/// What is held against what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The last weeks.
    pub recent: Span,
    /// What they are held against: the first weeks, and what there is of the months before that is no part of these. No day is in
    /// two of them.
    pub against: Vec<(Against, Span)>,
}

impl Spans {
    /// The spans for a release that graded first on this day. What the last weeks are held against may be shorter while the
    /// release is young, but not shorter than they are; none where it is too young for that. Today is not over and counts for nothing.
    pub fn of(first: Date, today: Date) -> Option<Self> {
        let recent = Span { from: today.saturating_sub(RECENT.days()), until: today };
        if recent.from < first.saturating_add(RECENT.days()) {
            return None;
        }
        let reference = Span { from: first, until: first.saturating_add(REFERENCE.days()).min(recent.from) };
        let months = recent.from.saturating_sub(MONTHS.days()).max(reference.until);
        let mut against = vec![(Against::FirstWeeks, reference)];
        if months.saturating_add(RECENT.days()) <= recent.from {
            against.push((Against::MonthsBefore, Span { from: months, until: recent.from }));
        }
        Some(Self { recent, against })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::FirstWeeks => "first weeks",
            Self::MonthsBefore => "months before",
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.until.saturating_sub(1.day()))
    }
}
