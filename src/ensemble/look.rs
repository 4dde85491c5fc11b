//! What a network is shown of a knee: all of it and, where its release says so, the middle from closer by.

/// A square view of a knee's middle: the knee is brought to one side, and so many pixels of that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    size: u32,
    whole: u32,
}

/// What a second look may be closer by: 1 means none, and beyond 2 the joint's edges are out of sight.
pub const ZOOMS: std::ops::RangeInclusive<f64> = 1.0..=2.0;

/// The zoom of a network that looks once.
pub const FROM_AFAR: f64 = 1.0;

/// The zoom where none is written.
pub fn from_afar() -> f64 {
    FROM_AFAR
}

impl Look {
    /// All of the knee, at this side in pixels.
    pub fn whole(size: u32) -> Self {
        Self { size, whole: size }
    }

    /// The looks of a network with views of this side: the whole knee and, where `zoom` is above 1, its middle so many times as
    /// large. The logits of all are averaged, as networks are commonly tested at several scales: Simonyan and Zisserman, "Very Deep
    /// Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, section 4.2, <https://arxiv.org/abs/1409.1556>.
    pub fn all(size: u32, zoom: f64) -> Vec<Self> {
        // as much at one edge as at the other: a mirrored knee gets the same views, mirrored
        let margin = (f64::from(size) * (zoom - FROM_AFAR) / 2.0).round().max(1.0) as u32;
        let closer = Self { size, whole: size + 2 * margin };
        if zoom > FROM_AFAR { vec![Self::whole(size), closer] } else { vec![Self::whole(size)] }
    }

    /// The side of the view in pixels.
    pub fn size(self) -> u32 {
        self.size
    }

    /// The side that the whole knee is brought to.
    pub(super) fn side(self) -> u32 {
        self.whole
    }

    /// Where the view begins in that, from the left and from above.
    pub(super) fn margin(self) -> u32 {
        (self.whole - self.size) / 2
    }
}
