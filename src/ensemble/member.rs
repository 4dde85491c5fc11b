//! One network of the ensemble, at work.

use super::{GradeError, cam, launches::Views, look::Look, release::MemberFile, release::ReleaseError};
use crate::{
    grade::{GRADES, Probabilities, Vote},
    networks::{
        Architecture, Form, Network,
        weights::{Weights, WeightsError},
    },
};
use tch::{Device, Kind, TchError, Tensor};

/// A network with its name, looks and temperature.
pub struct Member {
    name: String,
    /// The first is at the whole knee.
    looks: Vec<Look>,
    temperature: f32,
    network: Network,
    device: Device,
}

/// What a member says about some knees; it lies on the device, which may still be at work on it.
pub(super) struct Answer {
    /// The mean over all views of each knee's logits, `[knees, 5]`.
    pub logits: Tensor,
    /// The feature maps of both views of the whole knee, `[2 knees, c, h, w]`: all as they are, then all flipped.
    pub map: Tensor,
}

impl Member {
    pub(super) fn load(file: MemberFile, device: Device, form: Form) -> Result<Self, ReleaseError> {
        let network = file.build(device, form)?;
        let entry = file.entry();
        let looks = Look::all(entry.image_size, entry.zoom);
        Ok(Self { name: entry.name.clone(), looks, temperature: entry.temperature as f32, network, device })
    }

    /// An architecture that has learnt nothing yet, at its own image size.
    pub(super) fn untrained(architecture: Architecture, device: Device, form: Form) -> Result<Self, WeightsError> {
        let network = architecture.build(&mut Weights::untrained(1).on(device), form)?;
        let (name, looks) = (architecture.name().to_owned(), vec![Look::whole(architecture.image_size())]);
        Ok(Self { name, looks, temperature: 1.0, network, device })
    }

    /// Its name in the release.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The side of the square views it expects, in pixels.
    pub fn image_size(&self) -> u32 {
        self.looks[0].size()
    }

    /// How it looks at a knee, first at all of it.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The memory that its weights take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.network.bytes()
    }

    /// The logits `[n, 5]` of normalised views `[n, 3, s, s]`, each view by itself.
    pub fn logits(&self, views: &Tensor) -> Result<Tensor, GradeError> {
        Ok(tch::no_grad(|| self.network.logits(&self.network.map(&views.f_to(self.device)?)?))?)
    }

    /// What it says of knees.
    pub(super) fn answer(&self, views: &Views) -> Result<Answer, TchError> {
        let map = self.network.map(&views[&self.looks[0]])?;
        let mut logits = vec![over_both_views(&self.network.logits(&map)?)?];
        for look in &self.looks[1..] {
            logits.push(over_both_views(&self.network.logits(&self.network.map(&views[look])?)?)?);
        }
        Ok(Answer { logits: over_looks(&logits)?, map })
    }

    /// The vote that five logits are.
    pub(super) fn vote(&self, logits: [f32; GRADES]) -> Result<Vote, GradeError> {
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(GradeError::NotFinite { member: self.name.clone() });
        }
        let probabilities = Probabilities::softmax(logits, self.temperature);
        Ok(Vote { member: self.name.clone(), grade: probabilities.argmax(), probabilities })
    }

    /// Grad-CAM of one grade per knee, `[knees, s, s]` at the member's image size, from the maps of [`Answer`]: of the
    /// upright view, or the mean of both views', the flipped one turned back.
    pub(super) fn saliency(&self, maps: &Tensor, grades: &Tensor, both: bool) -> Result<Tensor, TchError> {
        let knees = maps.size4()?.0 / 2;
        let of = |first: i64| {
            let map = maps.f_narrow(0, first, knees)?;
            cam::grad_cam(&map, &self.network.mean_gradient(&map, grades)?, self.image_size())
        };
        let upright = of(0)?;
        if both { upright.f_add(&of(knees)?.f_flip([2])?)?.f_div_scalar(2.0) } else { Ok(upright) }
    }
}

/// Logits `[2 knees, 5]` of both views to their mean, `[knees, 5]`.
pub fn over_both_views(logits: &Tensor) -> Result<Tensor, TchError> {
    logits.f_view([2, -1, GRADES as i64])?.f_mean_dim([0i64].as_slice(), false, Kind::Float)
}

/// The mean of the logits `[knees, 5]` of all looks.
pub fn over_looks(logits: &[Tensor]) -> Result<Tensor, TchError> {
    match logits {
        [only] => Ok(only.shallow_clone()),
        all => Tensor::f_stack(all, 0)?.f_mean_dim([0i64].as_slice(), false, Kind::Float),
    }
}
