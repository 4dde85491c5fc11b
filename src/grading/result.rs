//! What ledger and outbox are told of a graded radiograph.

use super::{Decoded, IdentityPolicy, Subject, Trouble};
use crate::config::{self, MeanOf, PictureStyle};
use crate::digest::Digest;
use crate::ensemble::Graded;
use crate::ledger::{PictureRow, RadiographRow, Recorded};
use crate::outbox::overlay::{Caption, Layer, MapView, bare_map, overlay, png_grey, png_rgb};
use crate::outbox::record::{
    FILE_NAME, FileFacts, FilmFacts, Identity, KneeResult, NOTICE, Patient, Pictures, PixelSpacing, ProgramFacts,
    Pseudonym, ReleaseFacts, ResultRecord, SCHEMA_VERSION, SpacingPlane,
};
use crate::radiograph::Tags;
use crate::side::Side;
use image::GrayImage;

/// What every result of a start says of its making.
pub struct Imprint {
    /// Name, digest and vote rule of the release.
    pub release: ReleaseFacts,
    /// Version, device and settings.
    pub program: ProgramFacts,
    /// What is kept of the patient.
    pub identity: IdentityPolicy,
    /// Pictures of this kind, or none.
    pub pictures: Option<PictureStyle>,
}

/// A file's name in its folder, and its bytes.
type NamedFile = (String, Vec<u8>);

impl Imprint {
    /// The files that a radiograph becomes in the outbox's `folder`, and the ledger's rows for its pictures.
    pub fn files(
        &self,
        folder: &str,
        subject: &Subject,
        of: &Decoded,
        graded: &[Graded],
        recorded: &Recorded,
    ) -> Result<(Vec<NamedFile>, Vec<PictureRow>), Trouble> {
        let drawn = match self.pictures {
            Some(style) => draw(&of.crops, graded, recorded, style, &self.release.name)?,
            None => Vec::new(),
        };
        let rows = drawn.iter().flat_map(|drawing| drawing.rows(folder)).collect();
        let record = record(self, subject, of, recorded, &drawn);
        let json = record.to_json().map_err(|_| Trouble::Defect("the record cannot be written as JSON"))?;
        let files = drawn.into_iter().flat_map(Drawing::into_files);
        Ok((std::iter::once((FILE_NAME.to_owned(), json)).chain(files).collect(), rows))
    }
}

/// The pictures of one knee.
struct Drawing {
    grade_id: i64,
    side: Side,
    names: Pictures,
    overlay: Vec<u8>,
    map: Vec<u8>,
    members: Vec<Vec<u8>>,
}

/// The name of a radiograph's folder in the outbox: the same whenever the step is repeated.
pub fn folder_name(digest: &Digest, release: &str) -> String {
    format!("{}-{release}", &digest.to_string()[..16])
}

/// Overlay and map of every knee, and the members' maps where they are wanted.
fn draw(
    crops: &[GrayImage],
    graded: &[Graded],
    recorded: &Recorded,
    style: PictureStyle,
    release: &str,
) -> Result<Vec<Drawing>, Trouble> {
    let mut drawn: Vec<Drawing> = Vec::new();
    for ((crop, graded), recorded) in crops.iter().zip(graded).zip(recorded) {
        let Some(map) = &graded.map else { continue };
        let map = MapView::new(map.size, &map.values)?;
        let knee = &recorded.knee;
        let caption = Caption {
            side: knee.side,
            grade: knee.grade,
            probabilities: &knee.probabilities,
            agreement: knee.agreement,
            members: knee.votes.len(),
            missing: knee.missing.len(),
            needs_review: knee.needs_review == Some(true),
            release,
        };
        let again = drawn.iter().filter(|earlier| earlier.side == knee.side).count();
        let members = graded.member_maps.iter().map(|map| MapView::new(map.size, &map.values));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let layer = match style.mean_of {
            MeanOf::Maps => Layer::Map(map, style.palette),
            MeanOf::Pictures => Layer::Pictures(&members),
        };
        let named = members.iter().zip(&graded.votes).filter(|_| style.members);
        let mut names = Pictures::of(knee.side, again);
        names.add_members(named.clone().map(|(_, vote)| vote.member.as_str()));
        drawn.push(Drawing {
            grade_id: recorded.grade_id,
            side: knee.side,
            names,
            overlay: png_rgb(&overlay(crop, layer, &caption))?,
            map: png_grey(&bare_map(map))?,
            members: named.map(|(&map, _)| png_grey(&bare_map(map))).collect::<Result<_, _>>()?,
        });
    }
    Ok(drawn)
}

impl Drawing {
    /// Their rows in the ledger.
    fn rows(&self, folder: &str) -> [PictureRow; 2] {
        let row = |kind, name: &str, bytes: &[u8]| PictureRow {
            grade_id: self.grade_id,
            kind,
            path: format!("{folder}/{name}"),
            digest: Digest::of(bytes),
            bytes: bytes.len(),
        };
        // in the order in which the ledger keeps them: its pages stay full
        [row("map", &self.names.map, &self.map), row("overlay", &self.names.overlay, &self.overlay)]
    }

    /// Their files in the outbox.
    fn into_files(self) -> Vec<NamedFile> {
        let mut files = vec![(self.names.overlay, self.overlay), (self.names.map, self.map)];
        files.extend(self.names.members.into_iter().map(|member| member.map).zip(self.members));
        files
    }
}

/// What the ledger keeps of a radiograph.
pub(super) fn radiograph_row(of: &Decoded, identity: &IdentityPolicy) -> RadiographRow {
    let tags = &of.tags;
    let kept = identity.apply(tags.patient.as_ref());
    RadiographRow {
        format: of.format.to_string(),
        coding: tags.coding.clone(),
        width: of.size.0,
        height: of.size.1,
        modality: tags.modality.clone(),
        body_part: tags.body_part.clone(),
        view: tags.view.clone(),
        study_uid: tags.study_uid.clone(),
        series_uid: tags.series_uid.clone(),
        instance_uid: tags.instance_uid.clone(),
        study_date: tags.study_date.as_deref().and_then(iso_date),
        spacing: tags.pixel_spacing.or(tags.imager_pixel_spacing),
        identity: identity.setting().as_str(),
        patient: kept.patient,
        patient_name: kept.name,
        patient_birth: kept.birth,
        patient_sex: kept.sex,
    }
}

/// The record that the outbox publishes.
fn record(imprint: &Imprint, subject: &Subject, of: &Decoded, recorded: &Recorded, drawn: &[Drawing]) -> ResultRecord {
    let tags = &of.tags;
    let kept = imprint.identity.apply(tags.patient.as_ref());
    let patient = kept.patient.map(|patient| match imprint.identity.setting() {
        crate::config::Identity::Plain => Patient::Identity(Identity { id: patient, name: kept.name.clone() }),
        _ => Patient::Pseudonym(Pseudonym { pseudonym: patient }),
    });
    let knees = recorded.iter().map(|recorded| {
        let knee = &recorded.knee;
        KneeResult {
            side: knee.side,
            grade: knee.grade,
            meaning: knee.grade.meaning().to_owned(),
            probabilities: knee.probabilities,
            agreement: knee.agreement,
            entropy: knee.entropy,
            needs_review: knee.needs_review,
            votes: knee.votes.clone(),
            missing: knee.missing.clone(),
            pictures: drawn.iter().find(|d| d.grade_id == recorded.grade_id).map(|d| d.names.clone()),
        }
    });
    ResultRecord {
        schema_version: SCHEMA_VERSION,
        notice: NOTICE.to_owned(),
        file: FileFacts {
            sha256: subject.digest,
            bytes: of.bytes,
            format: of.format.to_string().to_lowercase(),
            coding: tags.coding.clone(),
            arrived: subject.arrived.clone(),
            graded: recorded.first().map_or_else(String::new, |knee| knee.graded_at.clone()),
            // it may have been kept when the settings still let it
            source_name: subject.name.clone().filter(|_| imprint.identity.setting() == config::Identity::Plain),
        },
        film: FilmFacts {
            study_uid: tags.study_uid.clone(),
            series_uid: tags.series_uid.clone(),
            instance_uid: tags.instance_uid.clone(),
            study_date: tags.study_date.as_deref().and_then(iso_date),
            view: tags.view.clone(),
            body_part: tags.body_part.clone(),
            pixel_spacing: spacing(tags),
        },
        patient,
        knees: knees.collect(),
        release: imprint.release.clone(),
        program: imprint.program.clone(),
    }
}

/// The spacing in the patient where the film is calibrated, else at the detector: of a film that is not, both may be written
/// and are the same (PS3.3 10.7.1.1).
fn spacing(tags: &Tags) -> Option<PixelSpacing> {
    let of = |mm: [f64; 2], plane| PixelSpacing { row_mm: mm[0], column_mm: mm[1], plane };
    let calibrated = tags.pixel_spacing.filter(|mm| tags.imager_pixel_spacing.as_ref() != Some(mm));
    calibrated
        .map(|mm| of(mm, SpacingPlane::Patient))
        .or_else(|| tags.imager_pixel_spacing.map(|mm| of(mm, SpacingPlane::Detector)))
}

/// DICOM's YYYYMMDD as YYYY-MM-DD; what is no date is left out.
fn iso_date(dicom: &str) -> Option<String> {
    jiff::civil::Date::strptime("%Y%m%d", dicom.trim()).ok().map(|date| date.to_string())
}
