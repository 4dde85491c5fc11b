//! From a map's value to a colour, and to how much of the radiograph it hides.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The colours of the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Palette {
    /// Google's Turbo: jet's look with steps that the eye sees as even.
    #[default]
    Turbo,
    /// Matlab's jet, which most papers on Grad-CAM print.
    Jet,
}

/// What 256 values do to a pixel: colour times opacity, and the rest, which the radiograph keeps; both in 1/256.
pub(super) struct Ink {
    levels: [([u16; 3], u16); 256],
}

impl Ink {
    /// The pixel that `grey` becomes under a map's value.
    #[inline]
    pub(super) fn over(&self, grey: u8, value: u8) -> [u8; 3] {
        let (colour, rest) = self.levels[usize::from(value)];
        let shine = u16::from(grey) * rest;
        // at most 255 * 256, because colour was rounded down
        colour.map(|part| ((shine + part) >> 8) as u8)
    }
}

impl Palette {
    /// The palette's lookup table, computed once.
    pub(super) fn ink(self) -> &'static Ink {
        static TURBO: OnceLock<Ink> = OnceLock::new();
        static JET: OnceLock<Ink> = OnceLock::new();
        let cell = match self {
            Self::Turbo => &TURBO,
            Self::Jet => &JET,
        };
        cell.get_or_init(|| self.mixed(opacity))
    }

    /// The palette's colours at an opacity that depends on the value.
    fn mixed(self, opacity: impl Fn(f64) -> f64) -> Ink {
        Ink {
            levels: std::array::from_fn(|level| {
                let value = level as f64 / 255.0;
                let opacity = opacity(value);
                (self.colour(value).map(|part| (part * opacity * 256.0) as u16), 256 - (opacity * 256.0).ceil() as u16)
            }),
        }
    }

    /// The pure colour of a value in 0..=1, each part in 0..=255.
    fn colour(self, value: f64) -> [f64; 3] {
        match self {
            Self::Turbo => colorous::TURBO.eval_continuous(value).as_array().map(f64::from),
            // piecewise linear: blue, cyan, yellow, red, their peaks a quarter apart
            Self::Jet => [3.0, 2.0, 1.0].map(|peak| (1.5 - (4.0 * value - peak).abs()).clamp(0.0, 1.0) * 255.0),
        }
    }
}

/// Jet and the radiograph, half and half, whatever the value: pytorch-grad-cam's way.
pub(super) fn half_jet() -> &'static Ink {
    static HALF: OnceLock<Ink> = OnceLock::new();
    HALF.get_or_init(|| Palette::Jet.mixed(|_| 0.5))
}

/// How much of the radiograph a value hides: nothing at 0, never all of it, rising smoothly.
fn opacity(value: f64) -> f64 {
    const MOST: f64 = 0.6;
    const FULL_AT: f64 = 0.7;
    let t = (value / FULL_AT).min(1.0);
    MOST * t * t * (3.0 - 2.0 * t)
}
