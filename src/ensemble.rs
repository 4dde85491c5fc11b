//! The ensemble: a release's members, what they are shown, how they vote, and where they looked.

mod batch;
pub mod cam;
pub mod device;
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
pub use member::Member;
pub use precision::{NeedsGpu, Precision};
pub use quorum::Absent;
pub use release::Release;
pub use vote::VoteRule;

use crate::{
    grade::{KlGrade, Probabilities, Vote},
    networks::{Architecture, Form, weights::WeightsError},
};
use image::GrayImage;
use preprocess::Films;
use release::ReleaseError;
use std::collections::{BTreeMap, btree_map::Entry};
use tch::{Device, TchError, Tensor};

/// Knees that go through a network together on a CPU: its caches hold the feature maps of two views, and more gain nothing.
const KNEES_ON_CPU: usize = 1;

/// Knees that go through a network together on a GPU: the matrix units are full, and all fits in 16 GiB.
const KNEES_ON_GPU: usize = 32;

/// The ensemble's answer for one knee.
#[derive(Clone, Debug, PartialEq)]
pub struct Graded {
    /// The release's vote rule applied to the votes.
    pub grade: KlGrade,
    /// The mean over members.
    pub probabilities: Probabilities,
    /// The share of the members that voted for the grade, 0 to 1; who is missing counts for neither side.
    pub agreement: f32,
    /// How undecided the mean probabilities are, in bits, 0 to 2.32.
    pub entropy: f32,
    /// One vote per member, in the release's order.
    pub votes: Vec<Vote>,
    /// The members of the release that could not be loaded, and so did not vote.
    pub missing: Vec<String>,
    /// Where the members looked, for the grade; none where maps are off.
    pub map: Option<SaliencyMap>,
    /// Where each member looked, in the order of the votes; empty unless asked for.
    pub member_maps: Vec<SaliencyMap>,
}

/// Why a knee has no grade.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GradeError {
    /// The picture has no pixels.
    #[error("the knee's picture is {width}x{height} pixels; there is nothing to grade")]
    NoPixels {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A member answered with NaN or infinity.
    #[error("member {member} answered with a number that is not finite; the knee has no grade")]
    NotFinite {
        /// The member's name in its release.
        member: String,
    },
    /// The device has too little memory, even for one knee.
    #[error("the device has too little memory to grade a knee: {0}")]
    OutOfMemory(String),
    /// libtorch failed, for all knees that went through together.
    #[error("libtorch failed while grading: {0}")]
    Torch(String),
}

impl From<TchError> for GradeError {
    /// libtorch's messages carry a C++ backtrace behind their first line.
    fn from(error: TchError) -> Self {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().to_owned();
        // "CUDA out of memory", "DefaultCPUAllocator: can't allocate memory"
        let is_memory =
            ["out of memory", "can't allocate memory", "not enough memory"].iter().any(|w| text.contains(w));
        if is_memory { Self::OutOfMemory(first) } else { Self::Torch(first) }
    }
}

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
        let (members, absent) = quorum::gather(release, device.device, form, quorum)?;
        Ok(Self { absent, ..Self::of(members, release.vote(), device.device) })
    }

    /// Networks that have learnt nothing yet: their grades mean nothing, and they take as long as any.
    pub fn untrained(architectures: &[Architecture], device: &DeviceInUse, form: Form) -> Result<Self, WeightsError> {
        let device = device.device;
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

    /// The same ensemble, taking at most so many knees through the networks together instead of what suits the device.
    pub fn with_batch(mut self, knees: usize) -> Self {
        self.batch = BatchLimit::new(knees);
        self
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
        let films = Films::upload(knees, self.device)?;
        // members of one image size share their views
        let mut views = BTreeMap::new();
        for size in self.members.iter().map(Member::image_size) {
            if let Entry::Vacant(entry) = views.entry(size) {
                entry.insert(films.views(size)?);
            }
        }
        let mut votes = vec![Vec::new(); knees.len()];
        let mut maps = Vec::new();
        for member in &self.members {
            let answer = member.answer(&views[&member.image_size()])?;
            votes.iter_mut().zip(answer.votes).for_each(|(votes, vote)| votes.push(vote));
            maps.push(answer.map);
        }
        let mut graded: Vec<Graded> = votes.into_iter().map(|votes| self.decide(votes)).collect();
        if self.with_maps {
            self.draw(&maps, &mut graded)?;
        }
        Ok(graded)
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
            for member in members.f_unbind(0)? {
                graded.iter_mut().zip(cam::pictures(&member)?).for_each(|(knee, map)| knee.member_maps.push(map));
            }
        }
        Ok(())
    }
}
