//! The Image Pixel module (PS3.3 C.7.6.3): the shape of the pixels, checked before any is read.

use super::data_set::DataSet;
use crate::radiograph::{Limits, Refusal};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// What the samples mean (PS3.3 C.7.6.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    /// The lowest value is white.
    Monochrome1,
    /// The lowest value is black.
    Monochrome2,
    /// Red, green, blue after decoding.
    Rgb,
    /// Luma and two chroma samples of full size.
    YbrFull,
    /// Luma and fewer chroma samples, as only JPEG codes them here.
    YbrSubsampled,
}

/// The shape of one frame of pixels.
#[derive(Clone, Debug)]
pub(super) struct ImagePixel {
    pub rows: u16,
    pub columns: u16,
    /// Samples a pixel: 1, or 3 for colour.
    pub samples: u16,
    pub photometric: Photometric,
    /// Colour by plane rather than by pixel.
    pub planar: bool,
    /// 8 or 16.
    pub bits_allocated: u16,
    /// 1 to `bits_allocated`.
    pub bits_stored: u16,
    /// Where a sample's most significant bit lies.
    pub high_bit: u16,
    /// Samples are two's complement.
    pub signed: bool,
}

impl ImagePixel {
    /// Reads and checks the module.
    pub fn read(data_set: &DataSet, limits: &Limits) -> Result<Self, Refusal> {
        let need = |tag, name| {
            word(data_set, tag, name)?.ok_or_else(|| Refusal::damaged(format!("its tag {name} is missing")))
        };
        let (rows, columns) = (need(tags::ROWS, "Rows")?, need(tags::COLUMNS, "Columns")?);
        limits.check(columns.into(), rows.into())?;
        // Some write zero for the one frame of a film; what is no number says nothing.
        match data_set.number(tags::NUMBER_OF_FRAMES).unwrap_or_default().unwrap_or(1.0) {
            0.0 | 1.0 => {}
            several if several > 1.0 => {
                return Err(Refusal::unsupported(format!("it holds {several} frames instead of one")));
            }
            less => return Err(Refusal::damaged(format!("it says that it holds {less} frames"))),
        }
        check_square(data_set)?;
        let samples = word(data_set, tags::SAMPLES_PER_PIXEL, "SamplesPerPixel")?.unwrap_or(1);
        let photometric = photometric(data_set, samples)?;
        let bits_allocated = need(tags::BITS_ALLOCATED, "BitsAllocated")?;
        if !matches!(bits_allocated, 8 | 16) {
            return Err(Refusal::unsupported(format!("it allocates {bits_allocated} bits a sample, not 8 or 16")));
        }
        let bits_stored = word(data_set, tags::BITS_STORED, "BitsStored")?.unwrap_or(bits_allocated);
        let high_bit = word(data_set, tags::HIGH_BIT, "HighBit")?.unwrap_or(bits_stored.saturating_sub(1));
        if bits_stored == 0 || bits_stored > bits_allocated || high_bit >= bits_allocated || high_bit + 1 < bits_stored
        {
            return Err(Refusal::damaged(format!(
                "{bits_stored} bits up to bit {high_bit} do not fit in the {bits_allocated} bits of a sample"
            )));
        }
        Ok(Self {
            rows,
            columns,
            samples,
            photometric,
            planar: samples == 3 && flag(data_set, tags::PLANAR_CONFIGURATION, "PlanarConfiguration")?,
            bits_allocated,
            bits_stored,
            high_bit,
            signed: flag(data_set, tags::PIXEL_REPRESENTATION, "PixelRepresentation")?,
        })
    }

    /// Rows times columns; within the limits, so it fits.
    pub fn pixels(&self) -> usize {
        usize::from(self.rows) * usize::from(self.columns)
    }

    /// The bytes of one decoded frame.
    pub fn frame_bytes(&self) -> usize {
        self.pixels() * usize::from(self.samples) * usize::from(self.bits_allocated / 8)
    }

    /// The largest number of `bits_stored` bits.
    pub fn mask(&self) -> u16 {
        u16::MAX >> (16 - self.bits_stored)
    }

    /// A sample without what lies above its high bit (overlays of old films) and below its low bit.
    pub fn stored(&self, sample: u16) -> u16 {
        (sample >> (self.high_bit + 1 - self.bits_stored)) & self.mask()
    }

    /// The highest sample, as it is stored.
    pub fn most(&self) -> u16 {
        self.mask() << (self.high_bit + 1 - self.bits_stored)
    }

    /// The number that a stored sample's bits stand for.
    pub fn value(&self, stored: u16) -> i32 {
        if self.signed && stored > self.mask() >> 1 {
            i32::from(stored) - i32::from(self.mask()) - 1
        } else {
            stored.into()
        }
    }
}

/// How far a pixel's sides may be apart, as a share: networks learn from pictures that are stretched by more.
const SQUARE: f64 = 0.05;

/// Refuses pixels that are not square (PS3.3 C.7.6.3.1.7, 10.7.1.3): networks see each as a square.
fn check_square(data_set: &DataSet) -> Result<(), Refusal> {
    for tag in [tags::PIXEL_ASPECT_RATIO, tags::PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING] {
        if let [down, across] = data_set.numbers(tag)[..]
            && down > 0.0
            && across > 0.0
            && (down / across - 1.0).abs() > SQUARE
        {
            return Err(Refusal::unsupported("its pixels are not square"));
        }
    }
    Ok(())
}

/// The one number of a tag; `None` where it is absent or empty.
fn word(data_set: &DataSet, tag: Tag, name: &str) -> Result<Option<u16>, Refusal> {
    match data_set.value(tag).unwrap_or_default() {
        [] => Ok(None),
        [_, _] => Ok(data_set.word(tag)),
        other => Err(Refusal::damaged(format!("its tag {name} has {} bytes instead of two", other.len()))),
    }
}

/// Whether a tag says 1 rather than 0 or nothing.
fn flag(data_set: &DataSet, tag: Tag, name: &str) -> Result<bool, Refusal> {
    match word(data_set, tag, name)?.unwrap_or(0) {
        number @ (0 | 1) => Ok(number == 1),
        other => Err(Refusal::damaged(format!("its tag {name} is {other}, neither 0 nor 1"))),
    }
}

fn photometric(data_set: &DataSet, samples: u16) -> Result<Photometric, Refusal> {
    let word = data_set.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    let meaning = match (word.as_str(), samples) {
        ("MONOCHROME1", 1) => Photometric::Monochrome1,
        ("MONOCHROME2" | "", 1) => Photometric::Monochrome2,
        ("RGB" | "YBR_ICT" | "YBR_RCT", 3) => Photometric::Rgb,
        ("YBR_FULL", 3) => Photometric::YbrFull,
        ("YBR_FULL_422" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420", 3) => Photometric::YbrSubsampled,
        ("PALETTE COLOR", _) => return Err(Refusal::unsupported("it is coloured by a palette")),
        ("MONOCHROME1" | "MONOCHROME2" | "", _) => {
            return Err(Refusal::damaged(format!("a grey picture cannot have {samples} samples a pixel")));
        }
        _ => {
            return Err(Refusal::unsupported(format!(
                "its photometric interpretation with {samples} samples is unknown"
            )));
        }
    };
    Ok(meaning)
}
