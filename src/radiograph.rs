//! Bytes in; one grey picture, and what the tags say, out.
//!
//! Every length, size and count in a file is checked before anything is allocated for it or any decoder sees it.

mod completeness;
mod dicom;
mod format;
mod jpeg_markers;
mod limits;
mod luma;
mod name;
mod raster;
mod refusal;
mod tags;
mod turbojpeg;

pub use completeness::{Completeness, completeness};
pub use format::Format;
pub use limits::Limits;
pub use name::{is_somebodys, names_somebody, patient_from_name, side_from_name};
pub use refusal::Refusal;
pub use tags::{Laterality, Patient, Tags, is_uid};

use crate::side::Side;
use image::{GrayImage, imageops};

/// A film as a radiologist sees it: 8-bit grey, bone bright.
#[derive(Clone, Debug, PartialEq)]
pub struct Radiograph {
    /// The whole picture.
    pub picture: GrayImage,
    /// What the tags say.
    pub tags: Tags,
    /// What the file was.
    pub format: Format,
}

/// One knee of a radiograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Knee {
    /// The patient's side.
    pub side: Side,
    /// The centred largest square of the knee's part of the picture.
    pub crop: GrayImage,
}

/// Reads a file of any [`Format`].
///
/// Errors: every file that is not a whole, readable, frontal knee radiograph within the limits gets its [`Refusal`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Radiograph, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(Refusal::TooLarge(format!("it has {} bytes, the limit is {}", bytes.len(), limits.max_bytes)));
    }
    let Some(format) = Format::sniff(bytes) else {
        return Err(format::refuse_other(bytes));
    };
    let (picture, tags) = match format {
        Format::Dicom => dicom::decode(bytes, limits)?,
        Format::Png => raster::png(bytes, limits)?,
        Format::Jpeg => raster::jpeg(bytes, limits)?,
        Format::Tiff => raster::tiff(bytes, limits)?,
    };
    if is_blank(&picture) {
        return Err(Refusal::Blank);
    }
    Ok(Radiograph { picture, tags, format })
}

/// A knee on fewer pixels a side is that of a thumbnail.
const LEAST_SIDE: u32 = 64;

/// On more millimetres a side there is more than a knee.
const MOST_MM: f64 = 400.0;
const LARGEST_MM: f64 = 1500.0;

fn is_blank(picture: &GrayImage) -> bool {
    picture.windows(2).all(|pair| pair[0] == pair[1])
}

impl Radiograph {
    /// The knees on the film: two where it says that it shows both, else one.
    ///
    /// A film of both is cut down the middle; on a frontal film the patient faces the reader, so the right knee is on
    /// the picture's left, unless the tags say otherwise. Each crop is the largest square around the centre, as the
    /// networks expect the joint there: a film whose joint lies elsewhere should be cropped before it is sent.
    pub fn knees(&self) -> Vec<Knee> {
        let (width, height) = self.picture.dimensions();
        let whole = |side| vec![Knee { side, crop: self.square(0, width, height) }];
        let [left, right] = match self.tags.laterality {
            Laterality::Knee(side) => return whole(side),
            Laterality::Both | Laterality::BothMirrored if width < 2 => return whole(Side::Unknown),
            Laterality::Both => [Side::Right, Side::Left],
            Laterality::BothMirrored => [Side::Left, Side::Right],
        };
        vec![
            Knee { side: left, crop: self.square(0, width / 2, height) },
            Knee { side: right, crop: self.square(width - width / 2, width / 2, height) },
        ]
    }

    /// The knees, if they can be graded.
    ///
    /// Errors: one is blank, as the half of a film that is said to show both, or they are too small, or far larger than a knee.
    pub fn gradable(&self) -> Result<Vec<Knee>, Refusal> {
        let knees = self.knees();
        if let Some(small) = knees.iter().map(|knee| knee.crop.width()).find(|side| *side < LEAST_SIDE) {
            return Err(Refusal::unsupported(format!(
                "a knee on it has {small} pixels a side, as on a thumbnail, and {LEAST_SIDE} are the least; send the film itself"
            )));
        }
        // of one millimetre is what converters write that know none, and no detector is larger than a metre and a half
        let spacing =
            self.tags.pixel_spacing.or(self.tags.imager_pixel_spacing).filter(|spacing| *spacing != [1.0, 1.0]);
        let across = spacing.map_or(0.0, |[_, across]| across);
        let mut sides = knees.iter().map(|knee| f64::from(knee.crop.width()) * across);
        if let Some(wide) = sides.find(|side| (MOST_MM..LARGEST_MM).contains(side)) {
            return Err(Refusal::unsupported(format!(
                "by its tags, what would be graded as one knee is {:.0} cm wide, as films of both knees or of a whole leg are; crop it to \
                 the knee, or tag a film of both with Laterality B",
                wide / 10.0
            )));
        }
        if knees.iter().any(|knee| is_blank(&knee.crop)) { Err(Refusal::Blank) } else { Ok(knees) }
    }

    /// The centred largest square of a part of the picture that starts at column `left`.
    fn square(&self, left: u32, width: u32, height: u32) -> GrayImage {
        let side = width.min(height);
        imageops::crop_imm(&self.picture, left + (width - side) / 2, (height - side) / 2, side, side).to_image()
    }
}
