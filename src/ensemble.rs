//! The ensemble: a release's members, what they are shown, how they vote, and where they looked.

pub mod cam;
pub mod device;
mod member;
pub mod preprocess;
mod quorum;
pub mod release;
pub mod starter;
pub mod vote;

pub use cam::SaliencyMap;
pub use device::{DeviceChoice, DeviceInUse, settle};
pub use member::Member;
pub use quorum::Absent;
pub use release::Release;
pub use vote::VoteRule;

use crate::grade::{KlGrade, Probabilities, Vote};
use image::GrayImage;
use release::ReleaseError;
use std::collections::{BTreeMap, btree_map::Entry};
use tch::{Device, TchError, Tensor};

/// Knees that go through a network together on a CPU: its caches hold the feature maps of two views, and more gain nothing.
const KNEES_ON_CPU: usize = 1;

/// Knees that go through a network together on a GPU.
const KNEES_ON_GPU: usize = 16;

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
    /// libtorch failed, for all knees that went through together.
    #[error("libtorch failed while grading: {0}")]
    Torch(String),
}

impl From<TchError> for GradeError {
    /// libtorch's messages carry a C++ backtrace behind their first line.
    fn from(error: TchError) -> Self {
        Self::Torch(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

/// The members of a release, loaded on one device. Owned and called by one thread.
pub struct Ensemble {
    members: Vec<Member>,
    absent: Vec<Absent>,
    vote: VoteRule,
    device: Device,
    with_maps: bool,
}

impl Ensemble {
    /// Loads the members: the file's hash, the tensors' names, shapes and values are checked.
    ///
    /// A `quorum` of 0 wants every member; another so many, or all of a release of fewer.
    pub fn load(release: &Release, device: &DeviceInUse, quorum: usize) -> Result<Self, ReleaseError> {
        let (members, absent) = quorum::gather(release, device.device, quorum)?;
        Ok(Self { members, absent, vote: release.vote(), device: device.device, with_maps: true })
    }

    /// The same ensemble, computing Grad-CAM maps beside the grades (the default) or not.
    pub fn with_maps(mut self, with_maps: bool) -> Self {
        self.with_maps = with_maps;
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

    /// How many knees go through the networks together on this device; more in one call gains nothing.
    pub fn knees_at_once(&self) -> usize {
        if self.device.is_cuda() { KNEES_ON_GPU } else { KNEES_ON_CPU }
    }

    /// Grades knees, in the order given. One that has no grade refuses them all: ask again one by one.
    pub fn grade(&self, knees: &[&GrayImage]) -> Result<Vec<Graded>, GradeError> {
        let mut graded = Vec::with_capacity(knees.len());
        for together in knees.chunks(self.knees_at_once()) {
            graded.extend(tch::no_grad(|| self.grade_together(together))?);
        }
        Ok(graded)
    }

    fn grade_together(&self, knees: &[&GrayImage]) -> Result<Vec<Graded>, GradeError> {
        if let Some((width, height)) = knees.iter().map(|knee| knee.dimensions()).find(|&(w, h)| w == 0 || h == 0) {
            return Err(GradeError::NoPixels { width, height });
        }
        // members of one image size share their views
        let mut views = BTreeMap::new();
        for size in self.members.iter().map(Member::image_size) {
            if let Entry::Vacant(entry) = views.entry(size) {
                entry.insert(preprocess::views(knees, size, self.device)?);
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
        }
    }

    /// The mean of the members' maps, each for the ensemble's grade, at the largest member's image size.
    fn draw(&self, maps: &[Tensor], graded: &mut [Graded]) -> Result<(), TchError> {
        let side = self.members.iter().map(Member::image_size).max().unwrap_or_default();
        let grades: Vec<i64> = graded.iter().map(|knee| u8::from(knee.grade).into()).collect();
        let grades = Tensor::f_from_slice(&grades)?.f_to(self.device)?;
        let members = self.members.iter().zip(maps).map(|(member, map)| member.saliency(map, &grades));
        let maps = cam::mean(&members.collect::<Result<Vec<_>, _>>()?, side)?;
        graded.iter_mut().zip(maps).for_each(|(knee, map)| knee.map = Some(map));
        Ok(())
    }
}
