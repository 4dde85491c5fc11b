//! The ensemble: a release's members, what they are shown, how they vote, and where they looked.

mod batch;
pub mod cam;
pub mod device;
mod graded;
mod launches;
pub mod look;
mod member;
mod outcome;
mod precision;
pub mod preprocess;
mod quorum;
pub mod release;
pub mod starter;
pub mod vote;

pub use batch::BatchLimit;
pub use cam::SaliencyMap;
pub use device::{DeviceChoice, DeviceInUse, settle};
pub use graded::{GradeError, Graded};
pub use launches::{LaunchError, LaunchPlan};
pub use look::Look;
pub use member::{Member, over_both_views, over_looks};
pub use precision::{Precision, Unavailable};
pub use preprocess::{Normalisation, seen};
pub use quorum::Absent;
pub use release::Release;
pub use vote::VoteRule;

use crate::networks::{Architecture, Form, weights::WeightsError};
use image::GrayImage;
use launches::{Launches, Views};
use member::Answer;
use preprocess::Films;
use release::ReleaseError;
use std::collections::btree_map::Entry;
use tch::{Cuda, Device, Kind, Tensor};

/// Knees that go through a network together on a CPU: its caches hold the feature maps of two views, and more gain nothing.
const KNEES_ON_CPU: usize = 1;

/// Knees that go through a network together on a GPU: the matrix units are full, and all fits in 16 GiB.
const KNEES_ON_GPU: usize = 32;

/// The members of a release, loaded on one device. Owned and called by one thread.
pub struct Ensemble {
    members: Vec<Member>,
    absent: Vec<Absent>,
    vote: VoteRule,
    /// A grade that is less probable needs a human's look.
    review_below: Option<f32>,
    device: Device,
    batch: BatchLimit,
    launches: Launches,
    with_maps: bool,
    with_flipped_maps: bool,
    with_member_maps: bool,
}

impl Ensemble {
    /// Loads the members in a form: the file's hash, the tensors' names, shapes and values are checked.
    ///
    /// A `quorum` of 0 wants every member; another so many, or all of a release of fewer.
    pub fn load(release: &Release, device: &DeviceInUse, form: Form, quorum: usize) -> Result<Self, ReleaseError> {
        be_exact(device.device, form);
        let (members, absent) = quorum::gather(release, device.device, form, quorum)?;
        let review_below = release.review().map(|review| review.threshold);
        Ok(Self { absent, review_below, ..Self::of(members, release.vote(), device.device) })
    }

    /// Networks that have learnt nothing yet: their grades mean nothing, and they take as long as any.
    pub fn untrained(architectures: &[Architecture], device: &DeviceInUse, form: Form) -> Result<Self, WeightsError> {
        let device = device.device;
        be_exact(device, form);
        let members = architectures.iter().map(|&architecture| Member::untrained(architecture, device, form));
        Ok(Self::of(members.collect::<Result<_, _>>()?, VoteRule::default(), device))
    }

    fn of(members: Vec<Member>, vote: VoteRule, device: Device) -> Self {
        let batch = BatchLimit::new(if device.is_cuda() { KNEES_ON_GPU } else { KNEES_ON_CPU });
        Self {
            members,
            absent: Vec::new(),
            vote,
            review_below: None,
            device,
            batch,
            launches: Launches::default(),
            with_maps: true,
            with_flipped_maps: false,
            with_member_maps: false,
        }
    }

    /// The same ensemble, computing Grad-CAM maps beside the grades (the default) or not.
    pub fn with_maps(mut self, with_maps: bool) -> Self {
        self.with_maps = with_maps;
        self
    }

    /// The same ensemble, its maps the means of those of both views, or of the upright one alone (the default).
    pub fn with_flipped_maps(mut self, with_flipped_maps: bool) -> Self {
        self.with_flipped_maps = with_flipped_maps;
        self
    }

    /// The same ensemble, keeping each member's map beside their mean, or not (the default).
    pub fn with_member_maps(mut self, with_member_maps: bool) -> Self {
        self.with_member_maps = with_member_maps;
        self
    }

    /// The same ensemble, its work given to the device as planned. A CPU has one stream and nothing to capture: there,
    /// batches overlap in name only.
    pub fn with_launches(mut self, plan: LaunchPlan, device: &DeviceInUse) -> Result<Self, LaunchError> {
        self.launches = Launches::new(plan, self.members.len(), device)?;
        Ok(self)
    }

    /// Takes at most so many knees through the networks together, instead of what suits the device.
    pub fn set_batch(&self, knees: usize) {
        self.batch.set(knees);
    }

    /// Takes one black knee through all members: a GPU that lacks a kernel or memory is found out before films wait for it.
    pub fn try_out(&self) -> Result<(), GradeError> {
        if self.device.is_cuda() {
            leave_nan(self.device);
        }
        self.grade(&[&GrayImage::new(64, 64)]).map(drop)
    }

    /// The members that vote, in the release's order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The members that could not be loaded, in the release's order.
    pub fn absent(&self) -> &[Absent] {
        &self.absent
    }

    /// Whether the networks are on a GPU.
    pub fn is_on_gpu(&self) -> bool {
        self.device.is_cuda()
    }

    /// How many knees go through the networks together at most; more in one call gains nothing.
    pub fn knees_at_once(&self) -> usize {
        self.batch.get()
    }

    /// Grades knees, in the order given. One that has no grade refuses them all: ask again one by one.
    pub fn grade(&self, knees: &[&GrayImage]) -> Result<Vec<Graded>, GradeError> {
        self.batch.take_through(knees, |together| self.finish(self.begin(together)?))
    }

    /// Gives knees to the device, all at once, and does not wait for it: the first half of grading.
    pub fn begin(&self, knees: &[&GrayImage]) -> Result<Begun, GradeError> {
        if let Some((width, height)) = knees.iter().map(|knee| knee.dimensions()).find(|&(w, h)| w == 0 || h == 0) {
            return Err(GradeError::NoPixels { width, height });
        }
        if self.device.is_cuda() {
            // cuDNN tries all its kernels for a shape once and keeps the fastest: worth it for full batches alone
            Cuda::cudnn_set_benchmark(knees.len() >= self.batch.get());
        }
        tch::no_grad(|| {
            let films = Films::upload(knees, |tensor| self.launches.upload(tensor, self.device))?;
            self.launches.uploaded()?;
            // members that look alike share their views
            let mut views = Views::new();
            for &look in self.members.iter().flat_map(Member::looks) {
                if let Entry::Vacant(entry) = views.entry(look) {
                    entry.insert(films.views(look)?);
                }
            }
            // All members are given their work before an answer is waited for: a GPU never stands still between them.
            let answers = self.launches.answers(&self.members, knees.len(), &views)?;
            Ok(Begun { answers, _films: films })
        })
    }

    /// Waits for the device and says what became of the knees: the second half.
    pub fn finish(&self, begun: Begun) -> Result<Vec<Graded>, GradeError> {
        tch::no_grad(|| self.outcome(&begun.answers))
    }

    /// Whether so many knees are begun by themselves, while others are at work, rather than graded.
    pub fn overlaps(&self, knees: usize) -> bool {
        self.launches.overlaps() && self.batch.is_one(knees)
    }

    /// Finishes knees while the device is at work on the next ones.
    pub fn go_on(
        &self,
        begun: Begun,
        next: &[&GrayImage],
    ) -> (Result<Vec<Graded>, GradeError>, Result<Begun, GradeError>) {
        if let Err(error) = self.launches.mark().map_err(GradeError::from) {
            return (Err(error.clone()), Err(error));
        }
        let next = self.begin(next);
        (self.launches.since_mark(|| self.finish(begun)), next)
    }
}

/// Knees that the device was given, in order.
pub struct Begun {
    answers: Vec<Answer>,
    /// Kept until the device has read them, as [`crate::gpu::Lane`] wants it.
    _films: Films,
}

/// Leaves what is not a number in memory that libtorch will use next: a kernel that reads what nobody has written betrays
/// itself. The pattern is NaN in every kind of number.
fn leave_nan(device: Device) {
    for (count, numbers) in [(64, 1 << 16), (1, 1 << 28)] {
        let nan = |_| Tensor::f_full([numbers], f64::NAN, (Kind::BFloat16, device));
        let _given_back: Vec<_> = (0..count).map(nan).collect();
    }
}

/// Does work in a form as an ensemble does it, and then lets the process go on as before.
pub(crate) fn exactly<T>(device: Device, form: Form, work: impl FnOnce() -> T) -> T {
    if !device.is_cuda() {
        return work();
    }
    let is_enabled = Cuda::user_enabled_cudnn();
    be_exact(device, form);
    let done = work();
    Cuda::set_user_enabled_cudnn(is_enabled);
    done
}

/// cuDNN rounds float32 to 10 bits before it multiplies (TF32); the reference on a GPU goes without it.
fn be_exact(device: Device, form: Form) {
    if device.is_cuda() && form == Form::Plain {
        Cuda::set_user_enabled_cudnn(false);
    }
}
