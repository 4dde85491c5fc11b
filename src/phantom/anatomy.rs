//! The bones of a knee seen from the front, in millimetres around the joint, and what osteoarthritis does to them.

use super::{
    bone::{Bone, Line},
    chance::Chance,
    outline::{Place, closed, open},
};

/// One knee: x grows to lateral, y downwards, the joint line at 0.
pub(super) struct Knee {
    /// Femur, tibia, fibula, patella.
    pub(super) bones: Vec<Bone>,
    /// Rims, scars and hardened plates.
    pub(super) lines: Vec<Line>,
    /// How large the knee is, as a factor.
    pub(super) scale: f32,
    /// How far the leg is turned on the film, in radians.
    pub(super) tilt: f32,
    /// How thick the leg is, as a factor.
    pub(super) flesh: f32,
    /// The seed of its trabeculae.
    pub(super) seed: u64,
}

const FEMUR: [Place; 31] = [
    (-15.0, -150.0),
    (-15.0, -105.0),
    (-17.5, -80.0),
    (-23.5, -60.0),
    (-31.5, -47.0),
    (-38.5, -37.5),
    (-41.5, -29.0),
    (-38.8, -19.5),
    (-38.6, -12.5),
    (-37.0, -6.8),
    (-32.5, -3.1),
    (-25.0, -1.6),
    (-17.0, -2.2),
    (-11.0, -5.4),
    (-6.5, -10.4),
    (0.0, -13.6),
    (6.0, -10.6),
    (11.0, -6.4),
    (17.0, -3.0),
    (25.0, -1.9),
    (32.5, -3.2),
    (36.8, -7.0),
    (37.8, -12.5),
    (37.4, -19.5),
    (39.4, -29.0),
    (36.5, -37.5),
    (30.0, -47.0),
    (23.5, -60.0),
    (17.0, -80.0),
    (15.0, -105.0),
    (15.0, -150.0),
];

const TIBIA: [Place; 26] = [
    (-36.8, 5.6),
    (-33.5, 3.2),
    (-27.0, 3.4),
    (-19.0, 4.5),
    (-12.0, 3.2),
    (-6.6, -3.4),
    (-1.0, 0.4),
    (5.0, -2.2),
    (12.0, 3.0),
    (19.0, 4.1),
    (27.0, 3.4),
    (33.5, 3.2),
    (36.8, 5.8),
    (37.0, 11.0),
    (34.8, 19.0),
    (30.0, 31.0),
    (24.5, 44.0),
    (19.0, 64.0),
    (15.5, 95.0),
    (14.0, 150.0),
    (-13.0, 150.0),
    (-14.0, 95.0),
    (-18.5, 62.0),
    (-25.0, 42.0),
    (-32.0, 26.0),
    (-36.4, 14.0),
];

const FIBULA: [Place; 12] = [
    (36.5, 14.5),
    (42.0, 15.5),
    (46.5, 22.0),
    (46.0, 32.0),
    (43.0, 42.0),
    (41.0, 70.0),
    (39.5, 150.0),
    (31.0, 150.0),
    (33.0, 70.0),
    (33.0, 42.0),
    (30.5, 31.0),
    (31.5, 20.0),
];

const PATELLA: [Place; 8] = [
    (0.0, -52.0),
    (15.0, -48.0),
    (21.5, -35.0),
    (15.0, -20.0),
    (0.0, -11.5),
    (-15.0, -20.0),
    (-21.5, -35.0),
    (-15.0, -48.0),
];

impl Knee {
    /// The knee of a seed at a severity, 0 to 1.
    pub(super) fn new(seed: u64, severity: f32) -> Self {
        let severity = if severity.is_finite() { severity.clamp(0.0, 1.0) } else { 0.0 };
        let mut chance = Chance::new(seed, 1);
        let mut shape = |points: &[Place], change: fn(Place, f32) -> Place, spread: f32| -> Vec<Place> {
            let moved = |&place: &Place| {
                let (x, y) = change(place, severity);
                (x + spread * chance.swing(), y + 0.5 * spread * chance.swing())
            };
            points.iter().map(moved).collect()
        };
        let (femur, tibia) = (shape(&FEMUR, worn_femur, 0.5), shape(&TIBIA, worn_tibia, 0.4));
        let (fibula, patella) = (shape(&FIBULA, unworn, 0.6), shape(&PATELLA, unworn, 0.8));
        let (across, along) = (4.0 + 2.0 * chance.swing(), 2.5 * chance.swing() - 5.5);
        let patella: Vec<Place> = patella.into_iter().map(|(x, y)| (x + across, y + along)).collect();
        // the plateau's far rim lies a little lower on the film than the near one
        let rim = |points: &[Place], drop: f32| open(&points.iter().map(|(x, y)| (*x, y + drop)).collect::<Vec<_>>());
        let scar =
            |y: f32, half: f32| open(&[(-half, y), (-half / 2.0, y - 1.5), (half / 3.0, y - 0.5), (half, y - 2.5)]);
        Self {
            bones: vec![
                Bone::new(&closed(&femur), 15.0, 1.0, 0.56, 1.7),
                Bone::new(&closed(&tibia), 13.0, 1.1, 0.60, 1.6),
                Bone::new(&closed(&fibula), 6.0, 0.8, 0.16, 0.42),
                Bone::new(&closed(&patella), 12.0, 0.8, 0.13, 0.16),
            ],
            lines: vec![
                // the near and the far rim of the plateau, then the plate of bone under it, which hardens
                Line::new(&rim(&tibia[1..5], 2.0), 0.5, 0.22),
                Line::new(&rim(&tibia[8..12], 2.0), 0.5, 0.20),
                Line::new(&rim(&tibia[1..5], 2.4), 1.5, 0.05 + 0.38 * severity),
                Line::new(&rim(&femur[10..13], -1.8), 1.3, 0.03 + 0.26 * severity),
                // the roof of the notch, and the notch itself, through which the ray meets less bone
                Line::new(&rim(&femur[13..18], -6.5), 0.8, 0.16),
                Line::new(&open(&[(0.0, -17.0), (0.5, -12.0)]), 5.0, -0.16),
                Line::new(&open(&[(-26.0, -14.0), (-24.0, -30.0)]), 8.0, 0.07),
                Line::new(&open(&[(26.0, -14.0), (24.0, -30.0)]), 8.0, 0.05),
                // scars of the growth plates
                Line::new(&scar(17.0, 29.0), 0.6, 0.06),
                Line::new(&scar(-29.0, 33.0), 0.7, 0.06),
            ],
            scale: 1.0 + 0.04 * chance.swing(),
            tilt: 0.04 * chance.swing(),
            flesh: 1.0 + 0.08 * chance.swing(),
            seed,
        }
    }
}

fn unworn(place: Place, _: f32) -> Place {
    place
}

/// 1 in the medial compartment, 0 in the lateral one.
fn medial(x: f32) -> f32 {
    let t = ((-x - 3.0) / 10.0).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 1 at the joint's margins and 0 elsewhere: where osteophytes grow.
fn margin((x, y): Place) -> f32 {
    let at = |centre: f32| (-((x.abs() - 36.5) / 2.5).powi(2) - ((y - centre) / 3.0).powi(2)).exp();
    at(-5.0).max(at(5.0))
}

/// The femur's condyle sinks on the medial side, its margins grow lips.
fn worn_femur((x, y): Place, severity: f32) -> Place {
    let lip = margin((x, y)) * severity * (2.6 + 2.6 * medial(x));
    (x + lip * x.signum(), y + 2.8 * severity * medial(x) * (y / 16.0).exp().min(1.0) + 0.3 * lip)
}

/// The tibia's plateau meets it, its margins and spines sharpen.
fn worn_tibia((x, y): Place, severity: f32) -> Place {
    let lip = margin((x, y)) * severity * (3.0 + 3.4 * medial(x));
    let spine = if x.abs() < 8.0 && y < -2.0 { 1.6 * severity } else { 0.0 };
    (x + lip * x.signum(), y - 3.2 * severity * medial(x) * (-y.max(0.0) / 16.0).exp() - 0.25 * lip - spine)
}
