//! What is kept of the patient: nothing, a keyed hash, or what the file says.

use crate::config::Identity;
use crate::digest::Digest;
use crate::radiograph::{Patient, is_somebodys, names_somebody, patient_from_name, side_from_name};
use crate::side::Side;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The identity setting, with the key it needs.
#[derive(Clone)]
pub struct IdentityPolicy {
    keep: Identity,
    key: [u8; 32],
}

/// The key for pseudonyms is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It cannot be read or made.
    #[error("the key for pseudonyms {path} cannot be read or made: {source}. It must hold 32 bytes")]
    Io {
        /// The key's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is gone, and with another the same patients would get other pseudonyms.
    #[error(
        "the key for pseudonyms {path} is missing, but the ledger holds pseudonyms made with it. Restore it from your \
         copy, or set identity.keep to \"none\""
    )]
    Lost {
        /// The key's file.
        path: PathBuf,
    },
}

/// What may be kept of a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Keyed hash or patient ID.
    pub patient: Option<String>,
    /// Only where identity is plain; so are the next two.
    pub name: Option<String>,
    /// Birth date.
    pub birth: Option<String>,
    /// Sex.
    pub sex: Option<String>,
}

/// What may be kept of the name that a file came with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptName {
    /// The name itself; only where identity is plain.
    pub name: Option<String>,
    /// What it says of the side.
    pub side: Side,
    /// What it says before the side, where there is a number in it, which with many collections is the patient's: a keyed hash,
    /// or the words themselves.
    pub patient: Option<String>,
}

impl IdentityPolicy {
    /// Nothing is kept of anybody.
    pub fn of_nobody() -> Self {
        Self { keep: Identity::None, key: [0; 32] }
    }

    /// The policy for a state folder. The key is made at first need and never changed; where it was `used` before, it
    /// must still be there.
    pub fn new(keep: Identity, state: &Path, used: bool) -> Result<Self, IdentityError> {
        let path = key_file(state);
        let key = match keep {
            Identity::None | Identity::Plain => [0; 32],
            Identity::Pseudonym if used && !path.exists() => return Err(IdentityError::Lost { path }),
            Identity::Pseudonym => read_or_make(&path).map_err(|source| IdentityError::Io { path, source })?,
        };
        Ok(Self { keep, key })
    }

    /// Whether the key can be used, if it is needed; where it was `used` before, it must be there.
    pub fn check(keep: Identity, state: &Path, used: bool) -> Result<(), IdentityError> {
        let path = key_file(state);
        match keep {
            Identity::Pseudonym if used && !path.exists() => Err(IdentityError::Lost { path }),
            Identity::Pseudonym if path.exists() => {
                read(&path).map(drop).map_err(|source| IdentityError::Io { path, source })
            }
            _ => Ok(()),
        }
    }

    /// The setting.
    pub fn setting(&self) -> Identity {
        self.keep
    }

    /// What may be kept of this patient. A number without a digit in it, as ANONYMOUS, is nobody's.
    pub fn apply(&self, patient: Option<&Patient>) -> Kept {
        let Some(patient) = patient else { return Kept::default() };
        match self.keep {
            Identity::None => Kept::default(),
            Identity::Pseudonym => {
                let id = patient.id.as_deref().filter(|id| is_somebodys(id));
                Kept { patient: id.map(|id| self.pseudonym(id)), ..Kept::default() }
            }
            Identity::Plain => Kept {
                patient: patient.id.clone(),
                name: patient.name.clone(),
                birth: patient.birth_date.clone(),
                sex: patient.sex.clone(),
            },
        }
    }

    /// What may be kept of a file's name, of its folders as far as `path` has them.
    pub fn of_name(&self, path: &Path) -> KeptName {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        // a film that comes back from the archive has its side behind its digest
        let patient = patient_from_name(&stem).filter(|patient| patient.parse::<Digest>().is_err());
        KeptName {
            name: (self.keep == Identity::Plain).then(|| path.to_string_lossy().into_owned()),
            side: side_from_name(&stem),
            patient: match self.keep {
                Identity::None => None,
                Identity::Pseudonym => patient.map(|patient| self.pseudonym(patient)),
                Identity::Plain => patient.map(str::to_owned),
            },
        }
    }

    /// What this installation calls a patient, whom a film or a name calls so: what `apply` and `of_name` make of it, whose word stays
    /// as it is. Words without a number are nobody's.
    pub fn of_patient(&self, id: &str) -> Option<String> {
        let is_pseudonym =
            id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
        match self.keep {
            Identity::None => None,
            _ if !names_somebody(id) => None,
            Identity::Pseudonym if !is_pseudonym => Some(self.pseudonym(id)),
            Identity::Pseudonym | Identity::Plain => Some(id.to_owned()),
        }
    }

    /// HMAC-SHA-256 (RFC 2104) of the patient ID, its first 128 bits in hex.
    fn pseudonym(&self, id: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        mac.update(id.trim().as_bytes());
        mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn key_file(state: &Path) -> PathBuf {
    state.join("identity.key")
}

fn read(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    File::open(path)?.read_exact(&mut key)?;
    Ok(key)
}

fn read_or_make(path: &Path) -> io::Result<[u8; 32]> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        known => return known,
    }
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    // Whole or not at all: a key cut short would make other pseudonyms after the next start. Of a start that was killed here, the
    // next one takes up the name.
    let fresh = path.with_extension("key.new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    crate::state::sync_folder_of(path)?;
    Ok(key)
}
