//! What the tags of a film say.

use crate::side::Side;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which knees the film says it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Laterality {
    /// One knee.
    Knee(Side),
    /// Both knees side by side, the right one on the picture's left.
    Both,
    /// Both as seen from behind: the left one on the picture's left.
    BothMirrored,
}

/// Who was x-rayed (PS3.3 C.7.1.1). `Debug` prints none of it, so that no log line can.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Patient ID (0010,0020).
    pub id: Option<String>,
    /// Patient's Name (0010,0010) as coded: family^given^middle^prefix^suffix.
    pub name: Option<String>,
    /// Patient's Birth Date (0010,0030), YYYYMMDD.
    pub birth_date: Option<String>,
    /// Patient's Sex (0010,0040): M, F or O.
    pub sex: Option<String>,
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patient(not shown)")
    }
}

/// The tags that grading and reports use; a raster file has only the coding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// Who was x-rayed; `None` where no such tag has a value.
    pub patient: Option<Patient>,
    /// Study Instance UID (0020,000D).
    pub study_uid: Option<String>,
    /// Series Instance UID (0020,000E).
    pub series_uid: Option<String>,
    /// SOP Instance UID (0008,0018).
    pub instance_uid: Option<String>,
    /// Modality (0008,0060): CR, DX, RG or SC.
    pub modality: Option<String>,
    /// View Position (0018,5101): AP, PA ...
    pub view: Option<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Option<String>,
    /// Study Date (0008,0020), YYYYMMDD.
    pub study_date: Option<String>,
    /// From Image Laterality (0020,0062) and Laterality (0020,0060); unknown where they contradict each other.
    pub laterality: Laterality,
    /// Pixel Spacing (0028,0030): mm between rows and between columns in the patient, as far as it is calibrated.
    pub pixel_spacing: Option<[f64; 2]>,
    /// Imager Pixel Spacing (0018,1164): mm between rows and columns at the detector, where a knee appears magnified.
    pub imager_pixel_spacing: Option<[f64; 2]>,
    /// The transfer syntax's name, or such as "PNG, 16 bit grey".
    pub coding: String,
}

/// A unique identifier: digits and dots, 64 at most (PS3.5 6.2), and letters beside the digits, as some write them who make films
/// anonymous.
pub fn is_uid(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

impl Tags {
    /// The tags of a file that has none.
    pub(crate) fn of_raster(coding: String) -> Self {
        Self {
            patient: None,
            study_uid: None,
            series_uid: None,
            instance_uid: None,
            modality: None,
            view: None,
            body_part: None,
            study_date: None,
            laterality: Laterality::Knee(Side::Unknown),
            pixel_spacing: None,
            imager_pixel_spacing: None,
            coding,
        }
    }
}
