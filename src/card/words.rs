//! Numbers as they are printed: as many digits as mean something, and a dash where there is none.

use crate::evaluation::Interval;
use crate::grade::KlGrade;

/// Stands where there is no number.
const NONE: &str = "\u{2013}";

/// A score between -1 and 1, or a loss, which may be infinite.
pub(crate) fn number(value: impl Into<Option<f64>>) -> String {
    match value.into() {
        Some(value) if value.is_infinite() => with_minus(format!("{value}").replace("inf", "\u{221e}")),
        Some(value) if !value.is_nan() => with_minus(format!("{value:.3}")),
        _ => NONE.to_owned(),
    }
}

/// A share, in percent.
pub(crate) fn percent(share: impl Into<Option<f64>>) -> String {
    let share = share.into().filter(|share| !share.is_nan());
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.1}\u{a0}%", 100.0 * share))
}

/// A difference, with its sign.
pub(crate) fn signed(value: f64) -> String {
    with_minus(format!("{value:+.3}"))
}

/// Where 95 % lie, of scores.
pub(crate) fn between(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high }| format!("{} to {}", number(low), number(high)))
}

/// Where 95 % lie, of shares.
pub(crate) fn percent_between(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high }| format!("{:.1} to {}", 100.0 * low, percent(high)))
}

/// A count, its thousands apart.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// So many of a thing.
pub(crate) fn counted(value: u64, what: &str) -> String {
    format!("{} {what}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A grade's short name.
pub(crate) fn kl(grade: KlGrade) -> String {
    format!("KL\u{a0}{grade}")
}

/// A true minus sign in place of a hyphen.
pub(crate) fn with_minus(number: String) -> String {
    number.replace('-', "\u{2212}")
}
