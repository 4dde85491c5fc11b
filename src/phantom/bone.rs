//! A bone as the ray meets it: how deep a place lies inside its outline, and what that attenuates.

use super::outline::{Place, depth, distance_squared};

/// Spacing of the table of depths, in millimetres.
const STEP: f32 = 0.5;

/// Values on a grid over a bounding box, read with bilinear interpolation.
struct Table {
    origin: Place,
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

impl Table {
    /// Tabulates a function over the box around the curve, with `margin` millimetres more on every side.
    fn around(curve: &[Place], margin: f32, value: impl Fn(Place) -> f32) -> Self {
        let least = |part: fn(&Place) -> f32| curve.iter().map(part).fold(f32::MAX, f32::min) - margin;
        let most = |part: fn(&Place) -> f32| curve.iter().map(part).fold(f32::MIN, f32::max) + margin;
        let origin = (least(|p| p.0), least(|p| p.1));
        let columns = ((most(|p| p.0) - origin.0) / STEP) as usize + 2;
        let rows = ((most(|p| p.1) - origin.1) / STEP) as usize + 2;
        let values = (0..rows * columns)
            .map(|i| {
                let (row, column) = (i / columns, i % columns);
                value((origin.0 + column as f32 * STEP, origin.1 + row as f32 * STEP))
            })
            .collect();
        Self { origin, columns, rows, values }
    }

    fn at(&self, (x, y): Place) -> Option<f32> {
        let (x, y) = ((x - self.origin.0) / STEP, (y - self.origin.1) / STEP);
        if !(x >= 0.0 && y >= 0.0 && x < (self.columns - 1) as f32 && y < (self.rows - 1) as f32) {
            return None;
        }
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let i = row * self.columns + column;
        let line = |i: usize| self.values[i] + (self.values[i + 1] - self.values[i]) * fx;
        let (upper, lower) = (line(i), line(i + self.columns));
        Some(upper + (lower - upper) * fy)
    }
}

/// One bone.
pub(super) struct Bone {
    depths: Table,
    /// Half the thickness where it is thickest, in millimetres; the profile is round up to this depth.
    pub(super) round: f32,
    /// The cortex's thickness near the joint, in millimetres.
    pub(super) cortex: f32,
    /// The thickest part's attenuation by cancellous bone.
    pub(super) cancellous: f32,
    /// The attenuation of cortex, where the ray runs along it.
    pub(super) compact: f32,
}

/// What a ray meets of a bone at one place.
pub(super) struct Meeting {
    /// Attenuation.
    pub(super) attenuation: f32,
    /// Of which by cancellous bone, whose texture shows.
    pub(super) spongy: f32,
}

impl Bone {
    /// A bone with this outline.
    pub(super) fn new(curve: &[Place], round: f32, cortex: f32, cancellous: f32, compact: f32) -> Self {
        let depths = Table::around(curve, 2.0 * STEP, |place| depth(curve, place));
        Self { depths, round, cortex, cancellous, compact }
    }

    /// What the ray through a place meets; nothing outside.
    pub(super) fn meet(&self, place: Place) -> Option<Meeting> {
        let depth = self.depths.at(place).filter(|depth| *depth > 0.0)?;
        // a shaft's wall is thick, the bone near the joint has a thin one
        let cortex = self.cortex * (1.0 + ((place.1.abs() - 28.0) / 16.0).clamp(0.0, 3.0));
        let (outer, inner) = (self.profile(depth), self.profile(depth - cortex));
        let spongy = self.cancellous * inner;
        Some(Meeting { attenuation: spongy + self.cancellous * 0.3 * outer + self.compact * (outer - inner), spongy })
    }

    /// The chord of a round body at a depth under its edge, 0 to 1.
    fn profile(&self, depth: f32) -> f32 {
        let t = 1.0 - (depth / self.round).clamp(0.0, 1.0);
        (1.0 - t * t).sqrt()
    }
}

/// A bright line: a rim that the ray meets edge on, a scar of growth, a hardened plate.
pub(super) struct Line {
    strengths: Table,
}

impl Line {
    /// A line along a curve with a width (deviation, in millimetres) and the attenuation of its middle.
    pub(super) fn new(curve: &[Place], width: f32, strength: f32) -> Self {
        let strengths = Table::around(curve, 3.5 * width, |place| {
            let nearest =
                curve.windows(2).map(|ends| distance_squared(place, ends[0], ends[1])).fold(f32::MAX, f32::min);
            strength * (-nearest / (2.0 * width * width)).exp()
        });
        Self { strengths }
    }

    /// Attenuation at a place.
    pub(super) fn at(&self, place: Place) -> f32 {
        self.strengths.at(place).unwrap_or(0.0)
    }
}
