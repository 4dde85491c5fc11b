//! Labelled knees for `evaluate` and `train`: in folders, or in the archive.

use super::{Failure, paths, usage};
use crate::dataset::{Labelled, Passed, in_folders, on_record};
use crate::state::State;
use std::path::PathBuf;

/// The files that the paths lead to and whose folders say a grade, what cannot be searched, and how many other files there are; an
/// error where no folder says a grade.
pub(super) fn in_paths(paths: &[PathBuf], state: &State) -> Result<(Vec<Labelled>, Vec<Passed>, usize), Failure> {
    let own = state.folders().map(|(_, path)| path.to_owned());
    let (files, unreadable) = paths::expand(paths, &own).map_err(usage)?;
    let (files, others) = in_folders(files);
    if files.is_empty() {
        return Err(usage(anyhow::anyhow!(
            "none of these files lies in a folder that is named after its grade (0 to 4, KL0 to KL4)"
        )));
    }
    let unreadable = unreadable.into_iter().map(|(file, error)| Passed { file, reason: error.to_string() });
    Ok((files, unreadable.collect(), others))
}

/// The knees of the archive that readers have graded, and those whose originals are gone; an error where none is left.
pub(super) fn in_archive(state: &State) -> Result<(Vec<Labelled>, Vec<Passed>), Failure> {
    let (files, gone) = on_record(state)?;
    if files.is_empty() {
        return Err(usage(match gone.len() {
            0 => anyhow::anyhow!("no graded knee has a label that stands (`kellgrend report label_gaps`)"),
            all => {
                anyhow::anyhow!(
                    "none of the {all} labelled knees' originals is in the archive of this state folder: what comes through the inbox is \
                     kept there, and what `kellgrend grade` reads stays where it is; put the films into the inbox of a running daemon, or \
                     give folders named after the grades instead of --labels"
                )
            }
        }));
    }
    Ok((files, gone))
}
