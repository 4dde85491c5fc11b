//! Phantoms: knee radiographs that were computed, of nobody, for the demo, the benchmark and the tests.
//!
//! A knee is a few outlines in millimetres. Each bone is a shell of cortex around cancellous bone, thickest in its
//! middle; the film's value grows with the attenuation along the ray, as on a processed radiograph. With growing
//! severity the medial joint space narrows, osteophytes grow at the margins and the bone under the plateau hardens.
//! The same seed gives the same film.

mod anatomy;
mod bone;
mod chance;
mod dicom;
mod exposure;
mod frame;
mod marker;
mod outline;
mod raster;

pub use dicom::{Coding, Knees, PhantomError, Subject, dicom};
pub use raster::{grey8, jpeg8, png16, tiff16};

use crate::side::Side;
use anatomy::Knee;
use exposure::{Film, Pose};
use image::{ImageBuffer, Luma};

/// A 12 bit grey picture, 0 (air) to 4095.
pub type Picture = ImageBuffer<Luma<u16>, Vec<u16>>;

/// Pixel spacing of [`knee`] in millimetres.
const KNEE_SPACING: f32 = 0.1;
/// Pixel spacing of [`bilateral`] in millimetres.
const FILM_SPACING: f32 = 0.2;

/// An AP radiograph of one knee, 1024x1024 pixels over about 102 mm, centred on the joint.
///
/// `severity` goes from 0 (a wide joint space, smooth margins) to 1 (almost bone on bone). A knee of unknown side is drawn as
/// a right one.
pub fn knee(seed: u64, side: Side, severity: f32) -> Picture {
    let film = Film { width: 1024, height: 1024, spacing: KNEE_SPACING };
    let pose = Pose { knee: Knee::new(seed, severity), x: 0.0, y: 0.0, lateral: lateral(side) };
    let mut picture = exposure::expose(film, seed, &[pose]);
    marker::lay(&mut picture, film, side, (45.5 * lateral(side), -44.0));
    picture
}

/// An AP radiograph of both knees, 1500x1100 pixels over 300 mm: the patient's right knee is on the picture's left.
pub fn bilateral(seed: u64, right_severity: f32, left_severity: f32) -> Picture {
    let film = Film { width: 1500, height: 1100, spacing: FILM_SPACING };
    let pose = |side, severity, x| Pose { knee: Knee::new(seed, severity), x, y: 4.0, lateral: lateral(side) };
    let poses = [pose(Side::Right, right_severity, -75.0), pose(Side::Left, left_severity, 75.0)];
    let mut picture = exposure::expose(film, seed, &poses);
    for side in [Side::Right, Side::Left] {
        marker::lay(&mut picture, film, side, (139.0 * lateral(side), -92.0));
    }
    picture
}

/// Where lateral is in the picture, 1 to the right: one looks at the patient from the front.
fn lateral(side: Side) -> f32 {
    if side == Side::Left { 1.0 } else { -1.0 }
}
