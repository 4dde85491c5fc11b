//! Fisher's exact test, for samples that are too small for chi-squared.

use statrs::function::factorial::ln_binomial;

/// Tables that chance makes as seldom are not told apart by how their probabilities were rounded; R and SciPy allow as much.
const ROUNDING: f64 = 1e-7;

/// How often chance alone makes two samples of two kinds as unlike, with two sides, where the sums stay as they are; and the least that
/// could have come of these sums.
///
/// Source: Fisher, "The Logic of Inductive Inference", Journal of the Royal Statistical Society 1935;98:39.
pub(super) fn exact(first: [u64; 2], second: [u64; 2]) -> Exact {
    let [drawn, others] = [first, second].map(|sample| sample[0] + sample[1]);
    let of_kind = first[0] + second[0];
    let fewest = of_kind.saturating_sub(others);
    let all = ln_binomial(drawn + others, of_kind);
    let chances: Vec<f64> = (fewest..=of_kind.min(drawn))
        .map(|found| (ln_binomial(drawn, found) + ln_binomial(others, of_kind - found) - all).exp())
        .collect();
    let as_seldom =
        |limit: f64| chances.iter().filter(|chance| **chance <= limit * (1.0 + ROUNDING)).sum::<f64>().min(1.0);
    let seldomest = chances.iter().copied().fold(f64::INFINITY, f64::min);
    Exact { p: as_seldom(chances[(first[0] - fewest) as usize]), least: as_seldom(seldomest) }
}

/// What the test says.
pub(super) struct Exact {
    /// As often chance makes them as unlike.
    pub p: f64,
    /// As often it makes them as unlike as they can be.
    pub least: f64,
}
