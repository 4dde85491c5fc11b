//! From numbers to places on an axis with round ends.

use super::words::with_minus;

/// An axis: where it begins and ends, and how far apart its lines are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    step: f64,
}

impl Scale {
    /// Around all values that are finite, with about so many lines; their distance is 1, 2 or 5 times a power of ten.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>, lines: usize) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let least = (high - low).max(0.01) / lines as f64;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|times| times * power).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(10.0 * power);
        let (first, last) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { low: first, high: if last > first { last } else { first + step }, step }
    }

    /// Where its lines are.
    pub(crate) fn lines(&self) -> impl Iterator<Item = f64> {
        let [first, last] = [self.low, self.high].map(|end| (end / self.step).round() as i32);
        (first..=last).map(|line| f64::from(line) * self.step)
    }

    /// How many there are.
    pub(crate) fn line_count(&self) -> usize {
        self.lines().count()
    }

    /// A value of its lines, without digits that are 0 for all of them.
    pub(crate) fn written(&self, value: f64) -> String {
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        with_minus(format!("{value:.decimals$}"))
    }

    /// A share of its lines in per cent, with as many digits as tell them apart.
    pub(crate) fn percent(&self, value: f64) -> String {
        let decimals = (-(100.0 * self.step).log10().floor()).max(0.0) as usize;
        format!("{:.decimals$}\u{a0}%", 100.0 * value)
    }

    /// How far along the axis a value is, 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}
