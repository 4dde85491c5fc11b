//! Several tests at once.

/// P-values as of one test: that any of them is below a bound by chance is as rare as the bound says.
///
/// Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979;6:65.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut adjusted, mut least) = (vec![0.0; p.len()], 0.0_f64);
    for (before, index) in order.into_iter().enumerate() {
        least = least.max((p.len() - before) as f64 * p[index]).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}
