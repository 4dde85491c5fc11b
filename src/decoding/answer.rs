//! A decoder's answer, as it goes from one process to the other. Who reads it takes it for a stranger's: a film may have taken the
//! decoder over.

use super::wire::{receive, send};
use super::{Decoded, Refused};
use crate::radiograph::{Format, Limits, Refusal, Tags};
use crate::side::Side;
use image::GrayImage;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// A radiograph shows as many knees at most.
const MOST_KNEES: usize = 2;

/// No reason is longer.
const LONGEST_REASON: usize = 500;

/// What became of a file; the knees' pixels follow, 8 bits each.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Decoded { tags: Box<Tags>, format: Format, size: (u32, u32), knees: Vec<Shape> },
    Refused { code: String, reason: String },
}

/// A knee's picture.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Shape {
    side: Side,
    width: u32,
    height: u32,
}

/// Writes it, with its pictures.
pub fn write(to: &mut impl Write, outcome: Result<Decoded, Refusal>) -> io::Result<()> {
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

/// Reads what was made of a file of so many bytes; an error for what no decoder says. Nothing is allocated for more than the limits
/// allow.
pub fn read(from: &mut impl Read, bytes: u64, limits: &Limits) -> io::Result<Result<Decoded, Refused>> {
    Ok(match receive(from)?.ok_or(io::ErrorKind::UnexpectedEof)? {
        Answer::Decoded { tags, format, size, knees } => {
            let crops = pictures(from, &knees, limits)?;
            let sides = knees.into_iter().map(|knee| knee.side).collect();
            Ok(Decoded { tags: *tags, format, bytes, size, sides, crops: Arc::new(crops) })
        }
        Answer::Refused { code, reason } => {
            let code = Refusal::CODES.into_iter().find(|known| *known == code);
            let code = code.ok_or_else(|| io::Error::other("a code that no decoder knows"))?;
            Err(Refused { code, reason: reason.chars().take(LONGEST_REASON).collect() })
        }
    })
}

fn pictures(from: &mut impl Read, knees: &[Shape], limits: &Limits) -> io::Result<Vec<GrayImage>> {
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
    knees.iter().map(picture).collect()
}
