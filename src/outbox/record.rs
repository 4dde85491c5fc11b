//! `result.json`: what kellgrend says of one radiograph, to be understood without the ledger.
//!
//! The contract is [`SCHEMA`] (JSON Schema 2020-12); a field is added or changed only together with
//! [`SCHEMA_VERSION`].

use crate::{
    config::Settings,
    digest::Digest,
    grade::{KlGrade, Probabilities, Vote},
    side::Side,
};
use serde::{Deserialize, Serialize};

/// The record's version; a reader that does not know it must not guess.
pub const SCHEMA_VERSION: u32 = 3;

/// The record's JSON Schema, as published beside the documents.
pub const SCHEMA: &str = include_str!("result.schema.json");

/// What every record says of itself.
pub const NOTICE: &str = "Not a medical device; not for diagnosis.";

/// The record's name in its folder.
pub const FILE_NAME: &str = "result.json";

/// All that is known of one graded radiograph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRecord {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// [`NOTICE`].
    pub notice: String,
    /// The file as it arrived.
    pub file: FileFacts,
    /// What the film says of itself.
    pub film: FilmFacts,
    /// Whose knees they are, as far as the settings let it be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<Patient>,
    /// The knees found, at least one.
    pub knees: Vec<KneeResult>,
    /// The release that graded them.
    pub release: ReleaseFacts,
    /// The program that ran it.
    pub program: ProgramFacts,
}

/// The file as it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// The format: `dicom`, `png`, `jpeg` or `tiff`.
    pub format: String,
    /// How the pixels are coded, such as a DICOM transfer syntax's name.
    pub coding: String,
    /// When it was claimed (RFC 3339).
    pub arrived: String,
    /// When it was graded (RFC 3339).
    pub graded: String,
    /// Its name in the inbox, where the settings let it be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
}

/// What the film says of itself; whatever it does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilmFacts {
    /// Study Instance UID (0020,000D).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_uid: Option<String>,
    /// Series Instance UID (0020,000E).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series_uid: Option<String>,
    /// SOP Instance UID (0008,0018).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_uid: Option<String>,
    /// Study Date (0008,0020) as `2025-03-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_date: Option<String>,
    /// View Position (0018,5101), such as `AP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Body Part Examined (0018,0015).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_part: Option<String>,
    /// How far pixels are apart, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_spacing: Option<PixelSpacing>,
}

/// The distance of pixel centres in millimetres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelSpacing {
    /// From row to row.
    pub row_mm: f64,
    /// From column to column.
    pub column_mm: f64,
    /// Where these millimetres are.
    pub plane: SpacingPlane,
}

/// Where a pixel spacing was measured (DICOM PS3.3 10.7.1.3): a knee is magnified on the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpacingPlane {
    /// In the patient, calibrated: Pixel Spacing (0028,0030).
    Patient,
    /// On the detector: Imager Pixel Spacing (0018,1164).
    Detector,
}

/// Whose radiograph it is, in the one way that the settings allow.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Patient {
    /// A keyed hash in place of the identity.
    Pseudonym(Pseudonym),
    /// The identity as the film has it.
    Identity(Identity),
}

/// A patient under a keyed hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pseudonym {
    /// The same for every radiograph of the patient under the same key.
    pub pseudonym: String,
}

/// A patient by name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Patient ID (0010,0020).
    pub id: String,
    /// Patient's Name (0010,0010).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who it is stays out of logs, whatever is logged.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity { .. }")
    }
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pseudonym(pseudonym) => pseudonym.fmt(f),
            Self::Identity(identity) => identity.fmt(f),
        }
    }
}

/// The ensemble's answer for one knee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KneeResult {
    /// Which of the patient's knees.
    pub side: Side,
    /// The grade.
    pub grade: KlGrade,
    /// The grade in words.
    pub meaning: String,
    /// The ensemble's probabilities of the grades 0 to 4.
    pub probabilities: Probabilities,
    /// The part of those that voted who said the grade, 0 to 1.
    pub agreement: f32,
    /// How undecided the probabilities are, in bits, 0 to 2.32.
    pub entropy: f32,
    /// Whether a human should look at it, since the grade is less probable than the release's threshold; null where the
    /// release has none.
    pub needs_review: Option<bool>,
    /// How each member voted.
    pub votes: Vec<Vote>,
    /// The members of the release that could not be loaded and did not vote.
    pub missing: Vec<String>,
    /// The pictures in the same folder, where any were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Pictures>,
}

/// File names of one knee's pictures, in the record's own folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// The knee beside the knee under its Grad-CAM map.
    pub overlay: String,
    /// The bare Grad-CAM map, 8 bit grey.
    pub map: String,
    /// Each member's own map, where the settings ask for them; in the release's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberPicture>,
}

/// The file name of one member's map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberPicture {
    /// The member's name in its release.
    pub member: String,
    /// The bare Grad-CAM map, 8 bit grey.
    pub map: String,
}

/// The release that graded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFacts {
    /// Its name.
    pub name: String,
    /// The digest of all that it consists of.
    pub digest: Digest,
    /// Its vote rule: `hard`, `soft` or `mix`.
    pub vote: String,
}

/// The program that graded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramFacts {
    /// Always `kellgrend`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where the networks ran, and in which numbers: `CPU AMD EPYC, 2 threads, bf16`.
    pub device: String,
    /// The digest of the settings that were in force.
    pub settings: Digest,
}

impl ProgramFacts {
    /// This program on a device, with these settings.
    pub fn this(device: String, settings: &Settings) -> Self {
        let settings = Digest::of(settings.to_toml().as_bytes());
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: crate::VERSION.to_owned(), device, settings }
    }
}

impl Pictures {
    /// The names for the pictures of a knee; `again` counts knees of the same side on one film, from 0.
    pub fn of(side: Side, again: usize) -> Self {
        let knee = match again {
            0 => format!("knee-{side}"),
            n => format!("knee-{side}-{}", n + 1),
        };
        Self { overlay: format!("{knee}-overlay.png"), map: format!("{knee}-map.png"), members: Vec::new() }
    }

    /// Names for the maps of these members too.
    pub fn add_members<'a>(&mut self, members: impl Iterator<Item = &'a str>) {
        let stem = self.map.trim_end_matches(".png").to_owned();
        self.members
            .extend(members.map(|member| MemberPicture { member: member.into(), map: format!("{stem}-{member}.png") }));
    }
}

impl ResultRecord {
    /// The record as it stands in the outbox: indented, with a newline at its end.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}
