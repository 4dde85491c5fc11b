//! Whether the numbers of one sample are higher than those of another.

use super::Difference;
use statrs::distribution::{ContinuousCDF as _, Normal};

/// From how many numbers in each sample on U is as good as normal: tables of the exact distribution end there.
const ENOUGH: usize = 20;

/// Mann and Whitney's U test, two-sided, by the normal distribution with corrections for ties and continuity, and the
/// rank-biserial correlation. None where there are too few numbers, or all are the same.
///
/// Source: Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", Annals of
/// Mathematical Statistics 1947;18:50; Kerby, "The simple difference formula", Comprehensive Psychology 2014;3:1.
pub fn ranks(first: &[f64], second: &[f64]) -> Option<Difference> {
    if first.len().min(second.len()) < ENOUGH {
        return None;
    }
    let mut all: Vec<(f64, bool)> = first.iter().map(|&value| (value, true)).collect();
    all.extend(second.iter().map(|&value| (value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum, mut ties) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let count = equal.len() as f64;
        // each of them has the mean of the ranks that they take up
        sum += equal.iter().filter(|(_, is_first)| *is_first).count() as f64 * (below + (count + 1.0) / 2.0);
        ties += count.powi(3) - count;
        below += count;
    }
    let (n1, n2, n) = (first.len() as f64, second.len() as f64, all.len() as f64);
    let statistic = sum - n1 * (n1 + 1.0) / 2.0;
    let variance = n1 * n2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return None;
    }
    let z = ((statistic - n1 * n2 / 2.0).abs() - 0.5) / variance.sqrt();
    let p = (2.0 * Normal::standard().sf(z)).min(1.0);
    Some(Difference { statistic, p, size: 1.0 - 2.0 * statistic / (n1 * n2) })
}
