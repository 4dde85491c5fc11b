//! How sure a network may say it is.

use crate::ensemble::release::TEMPERATURES;
use crate::grade::{GRADES, KlGrade};

/// The search ends where the temperature is known to a millionth of itself.
const PRECISION: f64 = 1e-6;

/// What to divide a network's logits by so that its probabilities fit the readers' grades best: where the mean of -ln p is
/// least, within what a release accepts. It is 1 where nothing is better, as without knees.
///
/// In one over the temperature the loss is convex, so in the temperature's logarithm it has a single valley, and the golden
/// section finds its ground without slopes. Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017,
/// <https://arxiv.org/abs/1706.04599>; Kiefer, "Sequential minimax search for a maximum", Proc AMS 1953;4:502.
pub fn temperature(logits: &[Option<[f32; GRADES]>], truths: &[KlGrade]) -> f64 {
    let told = || logits.iter().zip(truths).filter_map(|(logits, truth)| Some(((*logits)?, truth.index())));
    let loss = |temperature: f64| -> f64 { told().map(|(logits, truth)| surprise(logits, truth, temperature)).sum() };
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (TEMPERATURES.start().ln(), TEMPERATURES.end().ln());
    let at = |place: f64| (place, loss(place.exp()));
    let mut left = at(high - golden * (high - low));
    let mut right = at(low + golden * (high - low));
    while high - low > PRECISION {
        if left.1 <= right.1 {
            (high, right) = (right.0, left);
            left = at(high - golden * (high - low));
        } else {
            (low, left) = (left.0, right);
            right = at(low + golden * (high - low));
        }
    }
    let found = f64::midpoint(low, high).exp();
    if loss(1.0) <= loss(found) { 1.0 } else { found.clamp(*TEMPERATURES.start(), *TEMPERATURES.end()) }
}

/// -ln of the probability that the truth is given; finite however little it is.
fn surprise(logits: [f32; GRADES], truth: usize, temperature: f64) -> f64 {
    let max = logits.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let scaled = logits.map(|logit| f64::from(logit - max) / temperature);
    scaled.iter().map(|logit| logit.exp()).sum::<f64>().ln() - scaled[truth]
}
