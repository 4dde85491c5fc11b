//! A radiograph that has been read and cut into knees.

use crate::ledger::now;
use crate::radiograph::{self, Laterality, Limits, Radiograph, Refusal};
use crate::side::Side;
use image::GrayImage;
use std::sync::Arc;

/// A decoded radiograph whose picture has been cut into knees.
pub struct Decoded {
    pub(super) radiograph: Radiograph,
    /// When, RFC 3339.
    pub(super) at: String,
    pub(super) bytes: u64,
    pub(super) size: (u32, u32),
    pub(super) sides: Vec<Side>,
    pub(super) crops: Arc<Vec<GrayImage>>,
}

impl Decoded {
    /// Reads the bytes of a file. A lone knee of unknown side takes the side that the file's name says.
    pub fn read(bytes: &[u8], limits: &Limits, side_by_name: Side) -> Result<Self, Refusal> {
        let mut radiograph = radiograph::decode(bytes, limits)?;
        if radiograph.tags.laterality == Laterality::Knee(Side::Unknown) {
            radiograph.tags.laterality = Laterality::Knee(side_by_name);
        }
        let size = radiograph.picture.dimensions();
        let (sides, crops) = radiograph.knees().into_iter().map(|knee| (knee.side, knee.crop)).unzip();
        radiograph.picture = GrayImage::default(); // the knees are what is needed from here on
        Ok(Self { radiograph, at: now(), bytes: bytes.len() as u64, size, sides, crops: Arc::new(crops) })
    }

    /// The pictures of the knees, from the picture's left.
    pub fn crops(&self) -> &[GrayImage] {
        &self.crops
    }

    /// The patient ID, where the film says one.
    pub fn patient_id(&self) -> Option<&str> {
        self.radiograph.tags.patient.as_ref()?.id.as_deref()
    }

    /// Which knees they are.
    pub fn sides(&self) -> &[Side] {
        &self.sides
    }
}
