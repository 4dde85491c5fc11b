//! Which of a release's members can vote, and whether they are enough.

use super::{Member, Release, release::ReleaseError};
use crate::networks::{Form, weights::WeightsError};
use tch::Device;

/// A member that cannot be loaded, and so does not vote.
#[derive(Debug)]
pub struct Absent {
    /// Its name in the release.
    pub name: String,
    /// Why it cannot be loaded.
    pub reason: ReleaseError,
}

/// Loads a release's members onto a device, in the release's order; returns those that are there and those that are not.
///
/// With a `quorum` of 0 the first that cannot be loaded is the error. With another, that many must be there, or all of a
/// release of fewer; the error names everyone who is not.
pub(super) fn gather(
    release: &Release,
    device: Device,
    form: Form,
    quorum: usize,
) -> Result<(Vec<Member>, Vec<Absent>), ReleaseError> {
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for file in release.members() {
        match Member::load(file, device, form) {
            Ok(member) => present.push(member),
            Err(reason) if quorum == 0 => return Err(reason),
            // the machine's trouble, not the member's: its memory may be full
            Err(reason @ ReleaseError::Weights { source: WeightsError::Torch(_), .. }) => return Err(reason),
            Err(reason) => absent.push(Absent { name: file.name().to_owned(), reason }),
        }
    }
    let members = release.members().len();
    let quorum = quorum.min(members);
    if present.len() < quorum {
        let (release, present) = (release.name().to_owned(), present.len());
        return Err(ReleaseError::Quorum { release, members, quorum, present, absent });
    }
    Ok((present, absent))
}
