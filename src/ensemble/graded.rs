//! What grading a knee gives: an answer, or the reason why there is none.

use super::SaliencyMap;
use crate::gpu::{NO_ENGINE, first_line, is_full};
use crate::grade::{KlGrade, Probabilities, Vote};
use tch::TchError;

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
    /// Whether a human should look at it, since the grade's mean probability is below the release's threshold; none where the
    /// release has none.
    pub needs_review: Option<bool>,
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
    #[error(
        "member {member} answered with a number that is not finite; the knee has no grade (where many have none, set \
         precision to fp32)"
    )]
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
        // cuDNN that has no engine for other reasons says so for a single knee as well
        let is_memory = is_full(&error) || error.to_string().contains(NO_ENGINE);
        let first = first_line(&error);
        if is_memory { Self::OutOfMemory(first) } else { Self::Torch(first) }
    }
}
