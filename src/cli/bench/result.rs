//! The files that grading would put into the outbox, made but not written.

use crate::config::Settings;
use crate::digest::Digest;
use crate::ensemble::{DeviceInUse, Graded};
use crate::ledger::now;
use crate::outbox::overlay::{Caption, Layer, MapView, Palette, bare_map, overlay, png_grey, png_rgb};
use crate::outbox::record::{
    FileFacts, FilmFacts, KneeResult, NOTICE, Pictures, ProgramFacts, ReleaseFacts, ResultRecord, SCHEMA_VERSION,
};
use crate::radiograph::{Knee, Radiograph};

/// What every result of a run shares.
pub(super) struct Results {
    palette: Palette,
    release: ReleaseFacts,
    program: ProgramFacts,
}

/// A file that was read.
pub(super) struct Read<'a> {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) film: &'a Radiograph,
    pub(super) knees: &'a [Knee],
}

impl Results {
    pub(super) fn new(settings: &Settings, release: ReleaseFacts, device: &DeviceInUse) -> Self {
        let program = ProgramFacts {
            name: "kellgrend".to_owned(),
            version: crate::VERSION.to_owned(),
            device: device.description.clone(),
            settings: Digest::of(settings.to_toml().as_bytes()),
        };
        Self { palette: settings.pictures.palette, release, program }
    }

    /// The bytes of result.json, and of overlay and map of every knee.
    pub(super) fn of(&self, read: &Read, graded: &[Graded]) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut files = Vec::new();
        for (knee, graded) in read.knees.iter().zip(graded) {
            let Some(map) = &graded.map else { continue };
            let map = MapView::new(map.size, &map.values)?;
            let caption = Caption {
                side: knee.side,
                grade: graded.grade,
                probabilities: &graded.probabilities,
                agreement: graded.agreement,
                members: graded.votes.len(),
                missing: graded.missing.len(),
                release: &self.release.name,
            };
            files.push(png_rgb(&overlay(&knee.crop, Layer::Map(map, self.palette), &caption))?);
            files.push(png_grey(&bare_map(map))?);
        }
        files.push(self.record(read, graded).to_json()?);
        Ok(files)
    }

    fn record(&self, read: &Read, graded: &[Graded]) -> ResultRecord {
        let knees = read.knees.iter().zip(graded).map(|(knee, graded)| KneeResult {
            side: knee.side,
            grade: graded.grade,
            meaning: graded.grade.meaning().to_owned(),
            probabilities: graded.probabilities,
            agreement: graded.agreement,
            entropy: graded.entropy,
            votes: graded.votes.clone(),
            missing: graded.missing.clone(),
            pictures: Some(Pictures::of(knee.side, 0)),
        });
        let tags = &read.film.tags;
        ResultRecord {
            schema_version: SCHEMA_VERSION,
            notice: NOTICE.to_owned(),
            file: FileFacts {
                sha256: read.digest,
                bytes: read.bytes,
                format: read.film.format.to_string().to_lowercase(),
                coding: tags.coding.clone(),
                arrived: now(),
                graded: now(),
                source_name: None,
            },
            film: FilmFacts {
                study_uid: tags.study_uid.clone(),
                series_uid: tags.series_uid.clone(),
                instance_uid: tags.instance_uid.clone(),
                ..FilmFacts::default()
            },
            patient: None,
            knees: knees.collect(),
            release: self.release.clone(),
            program: self.program.clone(),
        }
    }
}
