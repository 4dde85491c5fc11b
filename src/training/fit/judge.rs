//! The knees that were left out, graded as the network will grade.

use super::{Fit, FitError, Watch};
use crate::ensemble::{exactly, over_both_views, over_looks};
use crate::evaluation::Confusion;
use crate::grade::{GRADES, Probabilities};
use crate::networks::weights::Weights;
use tch::Device;

/// What came of it.
pub struct Judged {
    /// The mean over all views, knee by knee.
    pub logits: Vec<[f32; GRADES]>,
    pub loss: f64,
    pub accuracy: f64,
    pub quadratic_kappa: Option<f64>,
}

/// Judges a state_dict of the network as an epoch, counted from 1, left it, made ready as for grading.
pub fn judge(fit: &Fit, weights: &[u8], epoch: usize, watch: &mut dyn Watch) -> Result<Judged, FitError> {
    let mut weights = Weights::from_bytes(weights.to_vec())?.on(fit.device);
    let network = fit.architecture.build(&mut weights, fit.form)?;
    let mut logits = Vec::with_capacity(fit.judge.len());
    let grade = || {
        for knees in fit.judge.chunks(fit.recipe.batch) {
            if !watch.pause() {
                return Err(FitError::Stopped);
            }
            let of_look = |views| over_both_views(&network.logits(&network.map(&views?)?)?);
            let answers = fit.pictures.to_judge(knees).map(of_look).collect::<Result<Vec<_>, _>>()?;
            let answers = over_looks(&answers)?.f_to(Device::Cpu)?.f_contiguous()?;
            let mut flat = vec![0f32; answers.numel()];
            answers.f_copy_data(&mut flat, answers.numel())?;
            logits.extend_from_slice(flat.as_chunks::<GRADES>().0);
        }
        Ok::<_, FitError>(())
    };
    // what learns otherwise, in TF32 say, goes on so
    exactly(fit.device, fit.form, || tch::no_grad(grade))?;
    if logits.iter().flatten().any(|logit| !logit.is_finite()) {
        return Err(FitError::NotFinite { epoch });
    }
    let mut confusion = Confusion::default();
    let mut loss = 0.0;
    for (&knee, &logits) in fit.judge.iter().zip(&logits) {
        let truth = fit.truths[knee as usize];
        let probabilities = Probabilities::softmax(logits, 1.0);
        confusion.0[truth.index()][probabilities.argmax().index()] += 1;
        // no answer is worse than one in a thousand million
        loss -= f64::from(probabilities.0[truth.index()]).max(1e-9).ln();
    }
    Ok(Judged {
        loss: loss / fit.judge.len().max(1) as f64,
        accuracy: confusion.accuracy().unwrap_or_default(),
        quadratic_kappa: confusion.quadratic_kappa(),
        logits,
    })
}
