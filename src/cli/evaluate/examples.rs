//! A few of the knees that were judged, and where the networks looked.

use crate::card::Example;
use crate::dataset::Labelled;
use crate::decoding::Decoders;
use crate::ensemble::Ensemble;
use crate::training::examination::picture;
use anyhow::Context as _;

/// Grades them once more, with maps; what cannot be read any more is left out, and said.
pub(super) fn examples(
    ensemble: &Ensemble,
    files: &[&Labelled],
    decoders: &Decoders,
    release: &str,
) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for file in files {
        match file.read(decoders) {
            Err(reason) => eprintln!("not shown on the card: {}: {reason}", file.path.display()),
            Ok(film) => {
                let graded = ensemble.grade(&[&film.knee])?;
                let graded = graded.first().context("it has no grade")?;
                let (caption, png) = picture(&film.knee, file.truth, graded, release)?;
                examples.push(Example { caption, png });
            }
        }
    }
    Ok(examples)
}
