//! From the members' answers to grades and maps.

use super::{Ensemble, GradeError, Graded, Member, cam, member::Answer, vote};
use crate::grade::{GRADES, Probabilities, Vote};
use tch::{Device, TchError, Tensor};

impl Ensemble {
    /// What became of the knees that the members answered, in order.
    pub(super) fn outcome(&self, answers: &[Answer]) -> Result<Vec<Graded>, GradeError> {
        let votes = self.votes(answers)?;
        let mut graded: Vec<Graded> = votes.into_iter().map(|votes| self.decide(votes)).collect();
        if self.with_maps {
            self.draw(answers, &mut graded)?;
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
            needs_review: self.review_below.map(|threshold| probabilities.0[grade.index()] < threshold),
            votes,
            missing: self.absent.iter().map(|absent| absent.name.clone()).collect(),
            map: None,
            member_maps: Vec::new(),
        }
    }

    /// The mean of the members' maps, each for the ensemble's grade, at the largest member's image size.
    fn draw(&self, answers: &[Answer], graded: &mut [Graded]) -> Result<(), TchError> {
        let side = self.members.iter().map(Member::image_size).max().unwrap_or_default();
        let grades: Vec<i64> = graded.iter().map(|knee| u8::from(knee.grade).into()).collect();
        let grades = Tensor::f_from_slice(&grades)?.f_to(self.device)?;
        let both = self.with_flipped_maps;
        let members =
            self.members.iter().zip(answers).map(|(member, answer)| member.saliency(&answer.map, &grades, both));
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
