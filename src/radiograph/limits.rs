//! How much one file may ask for.

use super::Refusal;

/// Bounds on one file. The defaults hold every film that a clinic makes and refuse what would exhaust memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the file, and bytes that any part of it may declare; 256 MiB.
    pub max_bytes: u64,
    /// Rows times columns; 64 million, four times the largest detector on sale.
    pub max_pixels: u64,
    /// Rows or columns alone; 16,384.
    pub max_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_pixels: 64_000_000, max_side: 16_384 }
    }
}

impl Limits {
    /// Refuses a picture with no pixels or with too many, before anything is allocated for it.
    pub(crate) fn check(&self, width: u32, height: u32) -> Result<(), Refusal> {
        if width == 0 || height == 0 {
            return Err(Refusal::damaged(format!("its picture is {width} x {height} pixels")));
        }
        let pixels = u64::from(width) * u64::from(height);
        if width.max(height) > self.max_side || pixels > self.max_pixels {
            return Err(Refusal::TooLarge(format!(
                "its picture is {width} x {height} pixels, the limit is {} in all and {} a side",
                self.max_pixels, self.max_side
            )));
        }
        Ok(())
    }

    /// The most that an inflated data set or a decoded raster may take: three bytes a pixel, and room for the tags.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(3).saturating_add(16 << 20)
    }
}
