//! The members' launches for a few knees, captured once and replayed.

use super::{Views, side_by_side};
use crate::ensemble::member::{Answer, Member};
use crate::gpu::{Lane, Recording, copy};
use std::{cell::RefCell, collections::BTreeMap};
use tch::TchError;

/// Keeps a recording for each number of knees that has come, up to a number.
pub struct Recorder {
    gpu: usize,
    knees: usize,
    lane: Lane,
    /// One a member, up to a number: few knees leave most of the device to the others.
    lanes: Vec<Lane>,
    recorded: RefCell<BTreeMap<usize, Option<Recorded>>>,
}

/// A recording with the memory it reads and writes.
struct Recorded {
    views: Views,
    answers: Vec<Answer>,
    recording: Recording,
}

impl Recorder {
    /// Captures in `lane`, the members beside each other in `lanes`.
    pub fn new(gpu: usize, knees: usize, lane: Lane, lanes: Vec<Lane>) -> Self {
        Self { gpu, knees, lane, lanes, recorded: RefCell::default() }
    }

    /// The most knees that are recorded.
    pub fn knees(&self) -> usize {
        self.knees
    }

    /// What each member says.
    pub fn answers(&self, members: &[Member], knees: usize, views: &Views) -> Result<Vec<Answer>, TchError> {
        let mut recorded = self.recorded.borrow_mut();
        if let Some(Some(recorded)) = recorded.get(&knees) {
            return recorded.replay(views);
        }
        // the first time, libraries set themselves up, which cannot be captured
        let answers = side_by_side(&self.lanes, members, views)?;
        recorded.entry(knees).or_insert_with(|| {
            let capture = self.capture(members, views);
            let warn = |error: &TchError| tracing::warn!(knees, "the launches cannot be captured: {error}");
            capture.inspect_err(warn).ok()
        });
        Ok(answers)
    }

    fn capture(&self, members: &[Member], views: &Views) -> Result<Recorded, TchError> {
        let views = views.iter().map(|(&look, views)| Ok((look, copy(views)?))).collect::<Result<Views, TchError>>()?;
        let work = || side_by_side(&self.lanes, members, &views);
        let (recording, answers) = Recording::capture(self.gpu, &self.lane, work)?;
        Ok(Recorded { views, answers, recording })
    }
}

impl Recorded {
    fn replay(&self, views: &Views) -> Result<Vec<Answer>, TchError> {
        for (look, recorded) in &self.views {
            recorded.shallow_clone().f_copy_(&views[look])?;
        }
        self.recording.replay()?;
        // the next replay writes over what the recording answered
        self.answers
            .iter()
            .map(|Answer { logits, map }| Ok(Answer { logits: copy(logits)?, map: copy(map)? }))
            .collect()
    }
}
