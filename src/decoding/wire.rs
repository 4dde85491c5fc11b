//! How the daemon and a decoder talk: a line's length, the line (JSON), and the bytes that it announces.

use super::Decoded;
use super::sandbox::Sandbox;
use crate::radiograph::{Format, Limits, Refusal, Tags};
use crate::side::Side;
use image::GrayImage;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// No line is longer: tags are short, and who is asked may be anybody by then.
const LONGEST: u32 = 1 << 20;

/// A radiograph shows as many knees at most.
const MOST_KNEES: usize = 2;

/// What a decoder says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) sandbox: Sandbox,
}

/// A file to decode: so many bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) bytes: u64,
    pub(super) side_by_name: Side,
}

/// What became of it; the knees' pixels follow, 8 bits each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Decoded { tags: Box<Tags>, format: Format, size: (u32, u32), knees: Vec<Shape> },
    Refused { code: String, reason: String },
}

/// A knee's picture.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Shape {
    side: Side,
    width: u32,
    height: u32,
}

pub(super) fn send(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_vec(line)?;
    let length = u32::try_from(line.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_le_bytes()[..], &line].concat())
}

/// None where the other end is gone.
pub(super) fn receive<T: for<'de> Deserialize<'de>>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("a line that is too long"));
    }
    let mut line = vec![0; length as usize];
    from.read_exact(&mut line)?;
    Ok(Some(serde_json::from_slice(&line)?))
}

/// A decoder's answer, with its pictures.
pub(super) fn send_answer(to: &mut impl Write, outcome: Result<Decoded, Refusal>) -> io::Result<()> {
    let Decoded { tags, format, size, sides, crops, bytes: _ } = match outcome {
        Ok(decoded) => decoded,
        Err(refusal) => {
            return send(to, &Answer::Refused { code: refusal.code().to_owned(), reason: refusal.to_string() });
        }
    };
    let shape = |(&side, crop): (&Side, &GrayImage)| Shape { side, width: crop.width(), height: crop.height() };
    let knees = sides.iter().zip(&*crops).map(shape).collect();
    send(to, &Answer::Decoded { tags: Box::new(tags), format, size, knees })?;
    crops.iter().try_for_each(|crop| to.write_all(crop.as_raw()))
}

/// The pictures of an answer. Nothing is allocated for more than the limits allow: the answer may be a lie.
pub(super) fn receive_pictures(
    from: &mut impl Read,
    knees: &[Shape],
    limits: &Limits,
) -> io::Result<Arc<Vec<GrayImage>>> {
    let pixels = |knee: &Shape| u64::from(knee.width) * u64::from(knee.height);
    let within = |knee: &Shape| pixels(knee) > 0 && knee.width.max(knee.height) <= limits.max_side;
    let all: u64 = knees.iter().map(pixels).fold(0, u64::saturating_add);
    if knees.is_empty() || knees.len() > MOST_KNEES || !knees.iter().all(within) || all > limits.max_pixels {
        return Err(io::Error::other("pictures beyond the limits"));
    }
    let picture = |knee: &Shape| {
        let mut pixels = vec![0; pixels(knee) as usize];
        from.read_exact(&mut pixels)?;
        GrayImage::from_raw(knee.width, knee.height, pixels)
            .ok_or_else(|| io::Error::other("a picture of another size"))
    };
    Ok(Arc::new(knees.iter().map(picture).collect::<io::Result<_>>()?))
}

impl Shape {
    pub(super) fn side(self) -> Side {
        self.side
    }
}
