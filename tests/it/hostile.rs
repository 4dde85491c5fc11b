//! Files that nobody should send, by kind of evil. Each must be refused, with a reason, at little cost.
#![allow(clippy::unwrap_used)]

mod bombs;
mod codestreams;
mod elements;
mod frames;
mod greys;
mod jpegs;
mod lengths;
mod objects;
mod pngs;
mod shapes;
mod strangers;
mod tiffs;
mod truncations;

use crate::film::Film;
use crate::radiograph::samples::ramp;
use std::ops::Range;

/// A name of which the part before `--` is the code of the expected refusal, and the bytes.
type Files = Vec<(String, Vec<u8>)>;

/// All of them.
pub fn files() -> Files {
    [
        truncations::files(),
        lengths::files(),
        elements::files(),
        shapes::files(),
        greys::files(),
        objects::files(),
        frames::files(),
        codestreams::files(),
        jpegs::files(),
        pngs::files(),
        tiffs::files(),
        bombs::files(),
        strangers::files(),
    ]
    .concat()
}

fn named<const N: usize>(files: [(&str, Vec<u8>); N]) -> Files {
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// A sound film, before something is done to it.
fn film8() -> Film {
    Film::grey8(64, 64, &ramp())
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

fn overwritten(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    [&bytes[..at], new, &bytes[at + new.len()..]].concat()
}

fn inserted(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    [&bytes[..at], new, &bytes[at..]].concat()
}

fn removed(bytes: &[u8], range: Range<usize>) -> Vec<u8> {
    [&bytes[..range.start], &bytes[range.end..]].concat()
}

/// Bytes without a pattern, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}
