//! A radiograph that has been read and cut into knees.

use crate::radiograph::{self, Format, Laterality, Limits, Refusal, Tags};
use crate::side::Side;
use image::GrayImage;
use std::sync::Arc;

/// A decoded radiograph whose picture has been cut into knees.
pub struct Decoded {
    /// What the tags say.
    pub tags: Tags,
    /// What the file was.
    pub format: Format,
    /// How many bytes it has.
    pub bytes: u64,
    /// Width and height of the whole picture in pixels.
    pub size: (u32, u32),
    /// Which knees they are, from the picture's left.
    pub sides: Vec<Side>,
    /// Their pictures.
    pub crops: Arc<Vec<GrayImage>>,
}

impl Decoded {
    /// Reads the bytes of a file in this very process. A lone knee of unknown side takes the side that the file's name says.
    pub fn read(bytes: &[u8], limits: &Limits, side_by_name: Side) -> Result<Self, Refusal> {
        let mut radiograph = radiograph::decode(bytes, limits)?;
        if radiograph.tags.laterality == Laterality::Knee(Side::Unknown) {
            radiograph.tags.laterality = Laterality::Knee(side_by_name);
        }
        let size = radiograph.picture.dimensions();
        let (sides, crops) = radiograph.gradable()?.into_iter().map(|knee| (knee.side, knee.crop)).unzip();
        let (tags, format) = (radiograph.tags, radiograph.format);
        Ok(Self { tags, format, bytes: bytes.len() as u64, size, sides, crops: Arc::new(crops) })
    }

    /// The study, where the film says one.
    pub fn study_uid(&self) -> Option<&str> {
        self.tags.study_uid.as_deref()
    }

    /// The UIDs of study and film, where the film says them.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        [&self.tags.study_uid, &self.tags.instance_uid].into_iter().flatten().map(String::as_str)
    }

    /// The patient ID, where the film says one.
    pub fn patient_id(&self) -> Option<&str> {
        self.tags.patient.as_ref()?.id.as_deref()
    }
}
