//! The ensemble: a release's members, what they are shown, how they vote, and where they looked.

mod batch;
pub mod cam;
pub mod device;
mod graded;
mod member;
mod precision;
pub mod preprocess;
mod quorum;
pub mod release;
pub mod starter;
pub mod vote;

pub use batch::BatchLimit;
pub use cam::SaliencyMap;
pub use device::{DeviceChoice, DeviceInUse, DeviceMemory, settle};
pub use graded::{GradeError, Graded};
pub use member::Member;
pub use precision::{Precision, Unavailable};
pub use quorum::Absent;
pub use release::Release;
pub use vote::VoteRule;

use crate::{
    grade::{GRADES, Probabilities, Vote},
    networks::{Architecture, Form, weights::WeightsError},
};
use image::GrayImage;
use member::Answer;
use preprocess::Films;
use release::ReleaseError;
use std::collections::{BTreeMap, btree_map::Entry};
use tch::{Cuda, Device, TchError, Tensor};

/// Knees that go through a network together on a CPU: its caches hold the feature maps of two views, and more gain nothing.
const KNEES_ON_CPU: usize = 1;

/// Knees that go through a network together on a GPU: the matrix units are full, and all fits in 16 GiB.
const KNEES_ON_GPU: usize = 32;

/// The members of a release, loaded on one device. Owned and called by one thread.
pub struct Ensemble {
    members: Vec<Member>,
    absent: Vec<Absent>,
    vote: VoteRule,
    device: Device,
    batch: BatchLimit,
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
        Ok(Self { absent, ..Self::of(members, release.vote(), device.device) })
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
            device,
            batch,
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

    /// Takes at most so many knees through the networks together, instead of what suits the device.
    pub fn set_batch(&self, knees: usize) {
        self.batch.set(knees);
    }

    /// Takes one black knee through all members: a GPU that lacks a kernel or memory is found out before films wait for it.
    pub fn try_out(&self) -> Result<(), GradeError> {
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

    /// How many knees go through the networks together at most; more in one call gains nothing.
    pub fn knees_at_once(&self) -> usize {
        self.batch.get()
    }

    /// Grades knees, in the order given. One that has no grade refuses them all: ask again one by one.
    pub fn grade(&self, knees: &[&GrayImage]) -> Result<Vec<Graded>, GradeError> {
        self.batch.take_through(knees, |together| tch::no_grad(|| self.grade_together(together)))
    }

    fn grade_together(&self, knees: &[&GrayImage]) -> Result<Vec<Graded>, GradeError> {
        if let Some((width, height)) = knees.iter().map(|knee| knee.dimensions()).find(|&(w, h)| w == 0 || h == 0) {
            return Err(GradeError::NoPixels { width, height });
        }
        if self.device.is_cuda() {
            // cuDNN tries all its kernels for a shape once and keeps the fastest: worth it for full batches alone
            Cuda::cudnn_set_benchmark(knees.len() >= self.batch.get());
        }
        let films = Films::upload(knees, self.device)?;
        // members of one image size share their views
        let mut views = BTreeMap::new();
        for size in self.members.iter().map(Member::image_size) {
            if let Entry::Vacant(entry) = views.entry(size) {
                entry.insert(films.views(size)?);
            }
        }
        // All members are given their work before the first answer is waited for: a GPU never stands still between them.
        let answers = self.members.iter().map(|member| member.answer(&views[&member.image_size()]));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        let votes = self.votes(&answers)?;
        let mut graded: Vec<Graded> = votes.into_iter().map(|votes| self.decide(votes)).collect();
        let maps: Vec<_> = answers.into_iter().map(|answer| answer.map).collect();
        if self.with_maps {
            self.draw(&maps, &mut graded)?;
        }
        Ok(graded)
    }

    /// Every knee's votes, in the members' order, copied from the device at once.
    fn votes(&self, answers: &[Answer]) -> Result<Vec<Vec<Vote>>, GradeError> {
        let logits: Vec<_> = answers.iter().map(|answer| &answer.logits).collect();
        let logits = Tensor::f_stack(&logits, 1)?.f_to(Device::Cpu)?.f_contiguous()?;
        let mut flat = vec![0f32; logits.numel()];
        logits.f_copy_data(&mut flat, logits.numel())?;
        let knees = flat.as_chunks::<GRADES>().0.chunks(self.members.len());
        knees.map(|knee| self.members.iter().zip(knee).map(|(member, &logits)| member.vote(logits)).collect()).collect()
    }

    fn decide(&self, votes: Vec<Vote>) -> Graded {
        let grade = self.vote.decide(&votes);
        let probabilities = Probabilities::mean(votes.iter().map(|vote| &vote.probabilities));
        Graded {
            grade,
            probabilities,
            agreement: vote::agreement(&votes, grade),
            entropy: probabilities.entropy(),
            votes,
            missing: self.absent.iter().map(|absent| absent.name.clone()).collect(),
            map: None,
            member_maps: Vec::new(),
        }
    }

    /// The mean of the members' maps, each for the ensemble's grade, at the largest member's image size.
    fn draw(&self, maps: &[Tensor], graded: &mut [Graded]) -> Result<(), TchError> {
        let side = self.members.iter().map(Member::image_size).max().unwrap_or_default();
        let grades: Vec<i64> = graded.iter().map(|knee| u8::from(knee.grade).into()).collect();
        let grades = Tensor::f_from_slice(&grades)?.f_to(self.device)?;
        let both = self.with_flipped_maps;
        let members = self.members.iter().zip(maps).map(|(member, map)| member.saliency(map, &grades, both));
        let members = cam::at_one_size(&members.collect::<Result<Vec<_>, _>>()?, side)?;
        let means = cam::pictures(&cam::mean(&members)?)?;
        graded.iter_mut().zip(means).for_each(|(knee, map)| knee.map = Some(map));
        if self.with_member_maps {
            for member in members.f_to(Device::Cpu)?.f_unbind(0)? {
                graded.iter_mut().zip(cam::pictures(&member)?).for_each(|(knee, map)| knee.member_maps.push(map));
            }
        }
        Ok(())
    }
}

/// cuDNN rounds float32 to 10 bits before it multiplies (TF32); the reference on a GPU goes without it.
fn be_exact(device: Device, form: Form) {
    if device.is_cuda() && form == Form::Plain {
        Cuda::set_user_enabled_cudnn(false);
    }
}
