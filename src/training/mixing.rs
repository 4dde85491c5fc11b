//! Two knees in one picture, with a share of the truth each, so that no single reader's slip is learnt by heart: Zhang et al.,
//! "mixup: Beyond Empirical Risk Minimization", ICLR 2018, <https://arxiv.org/abs/1710.09412>.

use crate::gpu::copy_to;
use crate::grade::{GRADES, KlGrade};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{TchError, Tensor};

/// Views `[n, 3, s, s]`, each blended with another of them, and what is then true `[n, 5]`: the share of each grade.
///
/// The other knee's share is drawn evenly from 0 to `most`.
pub fn mixed(
    views: &Tensor,
    truths: &[KlGrade],
    most: f64,
    chance: &mut ChaCha8Rng,
) -> Result<(Tensor, Tensor), TchError> {
    // the batch is in random order: from its other end comes another knee, whatever its grade
    let numbers: Vec<f32> = truths
        .iter()
        .zip(truths.iter().rev())
        .flat_map(|(own, other)| {
            let share = (most * chance.random::<f64>()) as f32;
            let mut numbers = [0.0; GRADES + 1];
            numbers[own.index()] += 1.0 - share;
            numbers[other.index()] += share;
            numbers[GRADES] = share;
            numbers
        })
        .collect();
    let (n, grades) = (truths.len() as i64, GRADES as i64);
    let numbers = copy_to(&Tensor::f_from_slice(&numbers)?.f_view([n, grades + 1])?, views.device())?;
    let shares = numbers.f_narrow(1, grades, 1)?.f_view([n, 1, 1, 1])?;
    let views = views.f_lerp_tensor(&views.f_flip([0])?, &shares)?;
    Ok((views, numbers.f_narrow(1, 0, grades)?))
}
