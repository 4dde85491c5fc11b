//! A few of the knees that were judged, and where the networks looked.

use crate::card::Example;
use crate::dataset::Labelled;
use crate::decoding::Decoders;
use crate::ensemble::Graded;
use crate::training::examination::picture;

/// Their pictures, each read once more; what cannot be read any more is left out, and said.
pub(super) fn examples<'a>(
    shown: impl Iterator<Item = (&'a Labelled, &'a Graded)>,
    decoders: &Decoders,
    release: &str,
) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for (file, graded) in shown {
        match file.read(decoders) {
            Err(reason) => eprintln!("not shown on the card: {}: {reason}", file.path.display()),
            Ok(film) => {
                let (caption, png) = picture(&film.knee, file.truth, graded, release)?;
                examples.push(Example { caption, png });
            }
        }
    }
    Ok(examples)
}
