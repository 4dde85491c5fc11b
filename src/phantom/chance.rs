//! Chance that repeats: SplitMix64 (Steele, Lea and Flood 2014) and noise from hashed places.

/// A stream of numbers from a seed.
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of a seed; `purpose` keeps streams of one seed apart.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ mix(purpose)))
    }

    /// Evenly from -1 to 1.
    pub(super) fn swing(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        unit(mix(self.0)) * 2.0 - 1.0
    }
}

/// SplitMix64's finaliser.
pub(super) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The upper 24 bits as a number in 0..1.
fn unit(bits: u64) -> f32 {
    (bits >> 40) as f32 / (1u64 << 24) as f32
}

/// Noise of a pixel: nearly normal, mean 0, deviation 1 (the sum of four even numbers).
pub(super) fn grain(seed: u64, x: u32, y: u32) -> f32 {
    let bits = mix(seed ^ (u64::from(y) << 32 | u64::from(x)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
    (sum as f32 / 65_535.0 - 2.0) * 3f32.sqrt()
}

/// Value noise: smooth between whole places, -1 to 1.
pub(super) fn texture(seed: u64, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(x - left), ease(y - top));
    let at = |dx: i64, dy: i64| {
        let (x, y) = (left as i64 + dx, top as i64 + dy);
        unit(mix(seed
            ^ (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)))
    };
    let (upper, lower) = (at(0, 0) + (at(1, 0) - at(0, 0)) * fx, at(0, 1) + (at(1, 1) - at(0, 1)) * fx);
    (upper + (lower - upper) * fy) * 2.0 - 1.0
}
