//! How long one knee takes, from the bytes of a file to the bytes of its result.

use super::clock::{Clock, Spread};
use crate::decoding::Decoders;
use crate::digest::Digest;
use crate::ensemble::Ensemble;
use crate::grading::{Imprint, Subject};
use crate::ledger::{GradedKnee, RecordedKnee, now};
use crate::phantom::{self, Coding, Knees, dicom, knee};
use crate::side::Side;
use serde::Serialize;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The whole way of one knee that comes alone, and its parts.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    pub(super) repeats: usize,
    pub(super) bytes_to_result: Spread,
    /// From the bytes to the knee's picture, the bytes' hash included.
    pub(super) decode: Spread,
    /// From the picture to grade and map.
    pub(super) networks: Spread,
    /// From those to the bytes of the pictures and of result.json.
    pub(super) drawing: Spread,
}

/// When each part was done, counted from the start.
struct Way {
    decoded: Duration,
    graded: Duration,
    drawn: Duration,
}

pub(super) fn measure(
    decoders: &Decoders,
    ensemble: &Ensemble,
    imprint: &Imprint,
    clock: &Clock,
) -> anyhow::Result<Latency> {
    let subject = phantom::Subject::new(1, Knees::One(Side::Right));
    let bytes = dicom(&knee(1, Side::Right, 0.5), &subject, Coding::ExplicitLittleEndian)?;
    let ways = clock.repeat(|| once(black_box(&bytes), decoders, ensemble, imprint))?;
    Ok(Latency {
        repeats: ways.len(),
        bytes_to_result: Spread::of(ways.iter().map(|way| way.drawn)),
        decode: Spread::of(ways.iter().map(|way| way.decoded)),
        networks: Spread::of(ways.iter().map(|way| way.graded - way.decoded)),
        drawing: Spread::of(ways.iter().map(|way| way.drawn - way.graded)),
    })
}

/// What grading does, without ledger and outbox.
fn once(bytes: &[u8], decoders: &Decoders, ensemble: &Ensemble, imprint: &Imprint) -> anyhow::Result<Way> {
    let began = Instant::now();
    let digest = Digest::of(bytes);
    let film = decoders.decode(bytes, Side::Unknown)?;
    let decoded = began.elapsed();
    let graded_knees = ensemble.grade(&film.crops.iter().collect::<Vec<_>>())?;
    let graded = began.elapsed();
    let knees = film.sides.iter().zip(&graded_knees).map(|(&side, graded)| GradedKnee::new(side, graded));
    let recorded = (0..).zip(knees).map(|(grade_id, knee)| RecordedKnee { grade_id, knee, graded_at: now() }).collect();
    let subject =
        Subject { file: 0, digest, path: PathBuf::new(), side_by_name: Side::Unknown, name: None, arrived: now() };
    black_box(imprint.files("", &subject, &film, &graded_knees, &recorded)?);
    Ok(Way { decoded, graded, drawn: began.elapsed() })
}
