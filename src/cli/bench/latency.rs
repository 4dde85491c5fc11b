//! How long one knee takes, from the bytes of a file to the bytes of its result.

use super::clock::{Clock, Spread};
use super::result::{Read, Results};
use crate::digest::Digest;
use crate::ensemble::Ensemble;
use crate::phantom::{Coding, Knees, Subject, dicom, knee};
use crate::radiograph::{Limits, decode};
use crate::side::Side;
use serde::Serialize;
use std::hint::black_box;
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

pub(super) fn measure(ensemble: &Ensemble, results: &Results, clock: &Clock) -> anyhow::Result<Latency> {
    let subject = Subject::new(1, Knees::One(Side::Right));
    let bytes = dicom(&knee(1, Side::Right, 0.5), &subject, Coding::ExplicitLittleEndian)?;
    let ways = clock.repeat(|| once(black_box(&bytes), ensemble, results))?;
    Ok(Latency {
        repeats: ways.len(),
        bytes_to_result: Spread::of(ways.iter().map(|way| way.drawn)),
        decode: Spread::of(ways.iter().map(|way| way.decoded)),
        networks: Spread::of(ways.iter().map(|way| way.graded - way.decoded)),
        drawing: Spread::of(ways.iter().map(|way| way.drawn - way.graded)),
    })
}

fn once(bytes: &[u8], ensemble: &Ensemble, results: &Results) -> anyhow::Result<Way> {
    let began = Instant::now();
    let digest = Digest::of(bytes);
    let film = decode(bytes, &Limits::default())?;
    let knees = film.knees();
    let decoded = began.elapsed();
    let graded_knees = ensemble.grade(&knees.iter().map(|knee| &knee.crop).collect::<Vec<_>>())?;
    let graded = began.elapsed();
    let read = Read { digest, bytes: bytes.len() as u64, film: &film, knees: &knees };
    black_box(results.of(&read, &graded_knees)?);
    Ok(Way { decoded, graded, drawn: began.elapsed() })
}
