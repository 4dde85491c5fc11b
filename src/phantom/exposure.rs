//! From knees to a film: attenuation along each ray, then grain.

use super::{
    Picture,
    anatomy::Knee,
    chance::{grain, mix, texture},
};
use image::Luma;

/// The film.
#[derive(Clone, Copy)]
pub(super) struct Film {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Millimetres from pixel to pixel.
    pub(super) spacing: f32,
}

/// A knee and its place on the film.
pub(super) struct Pose {
    pub(super) knee: Knee,
    /// Millimetres from the film's middle to the joint's.
    pub(super) x: f32,
    pub(super) y: f32,
    /// 1 where lateral is to the right, -1 where it is to the left.
    pub(super) lateral: f32,
}

/// The value of unattenuated air, and the span to the film's shoulder, which dense bone nears softly.
const AIR: f32 = 90.0;
const SPAN: f32 = 3950.0;
/// Deviation of the grain in a 12 bit film, at 0.1 mm; larger pixels collect more quanta.
const GRAIN: f32 = 34.0;

/// Exposes a film of knees.
pub(super) fn expose(film: Film, seed: u64, poses: &[Pose]) -> Picture {
    let noise = mix(seed ^ 0x6772_6169);
    let deviation = GRAIN * 0.1 / film.spacing;
    Picture::from_fn(film.width, film.height, |column, row| {
        let x = (column as f32 + 0.5 - film.width as f32 / 2.0) * film.spacing;
        let y = (row as f32 + 0.5 - film.height as f32 / 2.0) * film.spacing;
        let sum: f32 = poses.iter().map(|pose| pose.attenuation(x, y)).sum();
        let value = AIR + SPAN * (1.0 - (-sum).exp());
        Luma([(value + deviation * grain(noise, column, row)).clamp(0.0, 4095.0) as u16])
    })
}

impl Pose {
    /// What the ray at a place of the film meets of this leg.
    fn attenuation(&self, x: f32, y: f32) -> f32 {
        let knee = &self.knee;
        let (x, y) = ((x - self.x) * self.lateral / knee.scale, (y - self.y) / knee.scale);
        let (sin, cos) = knee.tilt.sin_cos();
        let place = (x * cos - y * sin, x * sin + y * cos);
        let mut sum = flesh(place, knee);
        if sum == 0.0 {
            return 0.0;
        }
        let mut spongy = 0.0;
        for bone in &knee.bones {
            if let Some(meeting) = bone.meet(place) {
                sum += meeting.attenuation;
                spongy += meeting.spongy;
            }
        }
        if spongy > 0.0 {
            sum += spongy * trabeculae(knee.seed, place);
            sum += knee.lines.iter().map(|line| line.at(place)).sum::<f32>();
        }
        sum
    }
}

/// The leg's soft tissue: a round body, waisted at the joint, fuller in the thigh than in the calf.
fn flesh((x, y): (f32, f32), knee: &Knee) -> f32 {
    let half = knee.flesh * (53.0 - y * 0.07 + 2.5 * (y / 22.0).cos());
    let t = x / half;
    if t.abs() >= 1.0 {
        return 0.0;
    }
    let chord = (1.0 - t * t).sqrt();
    // muscle lies closer to the bone than fat does, takes more, and is fibrous
    let muscle = (1.0 - (t / 0.86).powi(2)).max(0.0).sqrt();
    let fibres = texture(knee.seed ^ 5, x * 0.22, y * 0.03) + 0.5 * texture(knee.seed ^ 6, x * 0.6, y * 0.06);
    0.30 * chord + muscle * (0.12 + 0.025 * fibres)
}

/// The texture of cancellous bone: struts along the leg, fewer across.
fn trabeculae(seed: u64, (x, y): (f32, f32)) -> f32 {
    let along = texture(seed ^ 1, x * 1.9, y * 0.42) * 0.085 + texture(seed ^ 2, x * 3.7, y * 0.9) * 0.07;
    let across = texture(seed ^ 3, x * 0.5, y * 1.6) * 0.05;
    let patches = texture(seed ^ 4, x * 0.11, y * 0.09) * 0.10;
    along + across + patches
}
