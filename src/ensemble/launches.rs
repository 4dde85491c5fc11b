//! How the members' work reaches the device: one after another, side by side, or as one recording.

mod overlap;
mod recorder;

use super::{
    DeviceInUse,
    look::Look,
    member::{Answer, Member},
};
use crate::gpu::{Lane, is_extended};
use overlap::Overlap;
use recorder::Recorder;
use std::collections::BTreeMap;
use tch::{Device, TchError, Tensor};

/// The most lanes for members, of each kind. libtorch deals out 32 streams of a device in turn: with so few, those of a new release are
/// not those of the old one, which goes on until then.
const LANES: usize = 7;

/// Views of some knees by each look, as [`super::preprocess::Films::views`] lays them.
pub(super) type Views = BTreeMap<Look, Tensor>;

/// What the user wants of a GPU's launches.
#[derive(Clone, Copy, Debug)]
pub struct LaunchPlan {
    /// How many members compute side by side.
    pub streams: usize,
    /// The launches for up to so many knees are captured once and replayed.
    pub captured_knees: usize,
}

impl Default for LaunchPlan {
    /// What libtorch does by itself: one after another.
    fn default() -> Self {
        Self { streams: 1, captured_knees: 0 }
    }
}

/// Why launches cannot go as planned.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The extension is not there.
    #[error(
        "streams = {streams} and capture = {capture} need kellgrend's extension of libtorch, but {reason}; mend that, or set \
         them to 1 and 0"
    )]
    NoExtension {
        /// Members side by side.
        streams: usize,
        /// Knees whose launches are captured.
        capture: usize,
        /// What the loader said.
        reason: String,
    },
    /// The device refuses.
    #[error("the GPU has no streams for members side by side: {0}")]
    Device(#[from] TchError),
}

/// The way that was chosen.
#[derive(Default)]
pub(super) struct Launches {
    lanes: Vec<Lane>,
    recorder: Option<Recorder>,
    overlaps: bool,
    /// On a GPU, where batches overlap.
    overlap: Option<Overlap>,
}

impl Launches {
    /// Gets ready what the plan wants for so many members.
    pub(super) fn new(plan: LaunchPlan, members: usize, device: &DeviceInUse) -> Result<Self, LaunchError> {
        let LaunchPlan { streams, captured_knees } = plan;
        let overlaps = streams > 1;
        let gpu = match device.device {
            Device::Cuda(gpu) if overlaps || captured_knees > 0 => gpu,
            _ => return Ok(Self { overlaps, ..Self::default() }),
        };
        is_extended().map_err(|reason| LaunchError::NoExtension { streams, capture: captured_knees, reason })?;
        let lanes = |count| (0..count).map(|_| Lane::new(gpu)).collect::<Result<Vec<_>, _>>();
        let recorder = match captured_knees {
            0 => None,
            knees => Some(Recorder::new(gpu, knees, Lane::new(gpu)?, lanes(members.min(LANES))?)),
        };
        Ok(Self {
            lanes: if overlaps { lanes(streams.min(members).min(LANES))? } else { Vec::new() },
            recorder,
            overlaps,
            overlap: overlaps.then(|| Overlap::new(gpu)).transpose()?,
        })
    }

    /// Whether one batch is to come and go while another is computed.
    pub(super) fn overlaps(&self) -> bool {
        self.overlaps
    }

    /// A tensor's copy on the device, to be kept until the device has read it.
    pub(super) fn upload(&self, tensor: &Tensor, device: Device) -> Result<Tensor, TchError> {
        match &self.overlap {
            Some(overlap) => overlap.upload(tensor),
            None => tensor.f_to(device),
        }
    }

    /// What is given to the device from now on may read the copies.
    pub(super) fn uploaded(&self) -> Result<(), TchError> {
        self.overlap.as_ref().map_or(Ok(()), Overlap::uploaded)
    }

    /// Divides what the device was given until now from what it will be given.
    pub(super) fn mark(&self) -> Result<(), TchError> {
        self.overlap.as_ref().map_or(Ok(()), Overlap::mark)
    }

    /// Does work that needs nothing behind the mark, and waits for nothing behind it.
    pub(super) fn since_mark<T, E: From<TchError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        match &self.overlap {
            Some(overlap) => overlap.since_mark(work),
            None => work(),
        }
    }

    /// What each member says of so many knees.
    pub(super) fn answers(&self, members: &[Member], knees: usize, views: &Views) -> Result<Vec<Answer>, TchError> {
        match &self.recorder {
            Some(recorder) if knees <= recorder.knees() => recorder.answers(members, knees, views),
            _ => side_by_side(&self.lanes, members, views),
        }
    }
}

/// The members' work, dealt to the lanes in turn; without lanes, one after another.
fn side_by_side(lanes: &[Lane], members: &[Member], views: &Views) -> Result<Vec<Answer>, TchError> {
    let answer = |member: &Member| member.answer(views);
    if lanes.is_empty() {
        return members.iter().map(answer).collect();
    }
    let dealt = members.iter().zip(lanes.iter().cycle());
    let answers: Vec<_> =
        dealt.map(|(member, lane)| lane.follow().and_then(|()| lane.run(|| answer(member)))).collect();
    // all are joined whatever became of the work: the views are given back to memory soon
    let mut joined = Ok(());
    for lane in lanes {
        joined = joined.and(lane.join());
    }
    joined?;
    answers.into_iter().collect()
}
