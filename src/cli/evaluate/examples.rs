//! A few of the knees that were judged, and where the networks looked.

use crate::card::Example;
use crate::dataset::Labelled;
use crate::decoding::Decoders;
use crate::ensemble::Ensemble;
use crate::training::examination::picture;
use anyhow::Context as _;

/// Their pictures, each read and graded once more, with maps; what cannot be read any more is left out, and said.
pub(super) fn examples<'a>(
    shown: impl Iterator<Item = &'a Labelled>,
    ensemble: &Ensemble,
    decoders: &Decoders,
    release: &str,
) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for file in shown {
        match file.read(decoders) {
            Err(reason) => eprintln!("not shown on the card: {}: {reason}", file.path.display()),
            Ok(film) => {
                let graded = ensemble.grade(&[&film.knee])?;
                let graded = graded.first().context("it has no grade")?;
                let (caption, png) = picture(&film, file.truth, graded, release)?;
                examples.push(Example { caption, png });
            }
        }
    }
    Ok(examples)
}
