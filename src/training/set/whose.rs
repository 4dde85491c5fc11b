//! Whose a radiograph is, where one patient goes by several names: a number in a file's name, a patient ID, what the ledger keeps of
//! either.

use super::{NAMED, NAMELESS};
use crate::digest::Digest;
use std::collections::{BTreeSet, HashMap};

/// The running numbers of patients, by all that they go by.
#[derive(Default)]
pub(super) struct Whose {
    numbers: HashMap<Name, String>,
    given: usize,
    /// How patients are called of whom films have a UID.
    called: HashMap<String, BTreeSet<String>>,
}

/// Who is called by more names than a mistaken and a corrected one is not one patient: somebody has given one UID to all films.
const MOST_NAMES: usize = 2;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Name {
    /// As the film or its file calls the patient.
    Said(String),
    /// As this installation does.
    Kept(String),
    /// By a film: whoever has one under two names is one.
    Film(Digest),
    /// By a study, or a film whose bytes are others: it was sent again when a mistaken patient ID had been corrected.
    Uid(String),
}

impl Whose {
    /// The number of a film's patient, and those that have turned out to be this one's, too.
    pub(super) fn number(
        &mut self,
        film: Digest,
        said: &str,
        kept: Option<&str>,
        uids: &[String],
        is_named: bool,
    ) -> (String, Vec<String>) {
        let kept = kept.map(|kept| Name::Kept(kept.to_owned()));
        let mut is_told_by = |uid: &&String| {
            let called = self.called.entry((*uid).clone()).or_default();
            called.insert(said.to_owned());
            called.len() <= MOST_NAMES
        };
        let uids: Vec<_> = uids.iter().filter(|uid| is_told_by(uid)).cloned().map(Name::Uid).collect();
        let names: Vec<_> =
            [Name::Said(said.to_owned()), Name::Film(film)].into_iter().chain(kept).chain(uids).collect();
        let mut known: Vec<String> = names.iter().filter_map(|name| self.numbers.get(name).cloned()).collect();
        // of several the one that is told by more than its film
        known.sort_by_key(|number| number.starts_with(NAMELESS));
        known.dedup();
        let number = match known.first() {
            // who was told by nothing until now, and is told now, has a new one
            Some(number) if !(is_named && number.starts_with(NAMELESS)) => number.clone(),
            _ => {
                self.given += 1;
                format!("{}{:05}", if is_named { NAMED } else { NAMELESS }, self.given)
            }
        };
        known.retain(|other| *other != number);
        if !known.is_empty() {
            let others = self.numbers.values_mut().filter(|other| known.contains(other));
            others.for_each(|other| other.clone_from(&number));
        }
        self.numbers.extend(names.into_iter().map(|name| (name, number.clone())));
        (number, known)
    }
}
