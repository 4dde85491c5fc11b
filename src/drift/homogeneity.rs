//! Whether two samples are spread over the same kinds in the same shares.

use super::{ALPHA, Difference, fisher};
use statrs::distribution::{ChiSquared, ContinuousCDF as _};

/// The same test of kinds in an order. Where too few are of one kind for it, the rarest counts as one with the rarer of its neighbours,
/// as Cochran advises: one knee of a rare grade is no reason to say nothing of hundreds.
pub fn homogeneity_of_ordered(first: &[u64], second: &[u64]) -> Option<Difference> {
    let both = first.iter().zip(second).map(|(&a, &b)| [a, b]).filter(|[a, b]| a + b > 0);
    let mut kinds: Vec<[u64; 2]> = both.collect();
    loop {
        let [first, second] = [0, 1].map(|sample| Vec::from_iter(kinds.iter().map(|kind| kind[sample])));
        let difference = homogeneity(&first, &second);
        if difference.is_some() || kinds.len() <= 2 {
            return difference;
        }
        let of = |place: usize| kinds.get(place).map_or(u64::MAX, |[a, b]| a + b);
        let rarest = (0..kinds.len()).min_by_key(|&place| of(place))?;
        let lower =
            if rarest > 0 && of(rarest - 1) <= of(rarest + 1) { rarest - 1 } else { rarest.min(kinds.len() - 2) };
        let [a, b] = kinds.remove(lower + 1);
        kinds[lower][0] += a;
        kinds[lower][1] += b;
    }
}

/// Pearson's chi-squared test of homogeneity, without Yates's correction, and Cramer's V. Where chi-squared is no good approximation,
/// Fisher's exact test says of two kinds how often chance makes such samples. None where only one kind is there, or so few that no
/// difference could be told from chance.
///
/// The approximation is good, by Cochran's rule, where no expected count is below 1 and at most a fifth of them is below 5.
/// Source: Cochran, "Some Methods for Strengthening the Common chi-squared Tests", Biometrics 1954;10:417.
pub fn homogeneity(first: &[u64], second: &[u64]) -> Option<Difference> {
    let kinds: Vec<[f64; 2]> =
        first.iter().zip(second).map(|(&a, &b)| [a as f64, b as f64]).filter(|[a, b]| a + b > 0.0).collect();
    let sums = [0, 1].map(|sample| kinds.iter().map(|kind| kind[sample]).sum::<f64>());
    let all = sums[0] + sums[1];
    let expected = |kind: &[f64; 2], sample: usize| (kind[0] + kind[1]) * sums[sample] / all;
    let cells = || kinds.iter().flat_map(|kind| [0, 1].map(|sample| (kind[sample], expected(kind, sample))));
    if kinds.len() < 2 || sums.contains(&0.0) {
        return None;
    }
    let few = cells().filter(|(_, expected)| *expected < 5.0).count();
    let is_approximate = few * 5 <= kinds.len() * 2 && cells().all(|(_, expected)| expected >= 1.0);
    let statistic: f64 = cells().map(|(found, expected)| (found - expected).powi(2) / expected).sum();
    let p = match kinds[..] {
        _ if is_approximate => ChiSquared::new(kinds.len() as f64 - 1.0).ok()?.sf(statistic),
        [one, other] => {
            let of = |sample: usize| [one[sample] as u64, other[sample] as u64];
            let exact = fisher::exact(of(0), of(1));
            (exact.least < ALPHA).then_some(exact.p)?
        }
        _ => return None,
    };
    Some(Difference { statistic, p, size: (statistic / all).sqrt() })
}
