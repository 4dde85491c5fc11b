//! What is kept of the patient: nothing, a keyed hash, or what the file says.

use crate::config::Identity;
use crate::radiograph::Patient;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The identity setting, with the key it needs.
pub struct IdentityPolicy {
    keep: Identity,
    key: [u8; 32],
}

/// The key for pseudonyms cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the key for pseudonyms {path} cannot be read or made: {source}. It must hold 32 bytes")]
pub struct IdentityError {
    path: PathBuf,
    source: io::Error,
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

impl IdentityPolicy {
    /// The policy for a state folder; the key is made at first need and never changed.
    pub fn new(keep: Identity, state: &Path) -> Result<Self, IdentityError> {
        let path = state.join("identity.key");
        let key = match keep {
            Identity::Pseudonym => read_or_make(&path).map_err(|source| IdentityError { path, source })?,
            Identity::None | Identity::Plain => [0; 32],
        };
        Ok(Self { keep, key })
    }

    /// The setting.
    pub fn setting(&self) -> Identity {
        self.keep
    }

    /// What may be kept of this patient.
    pub fn apply(&self, patient: Option<&Patient>) -> Kept {
        let Some(patient) = patient else { return Kept::default() };
        match self.keep {
            Identity::None => Kept::default(),
            Identity::Pseudonym => {
                Kept { patient: patient.id.as_deref().map(|id| self.pseudonym(id)), ..Kept::default() }
            }
            Identity::Plain => Kept {
                patient: patient.id.clone(),
                name: patient.name.clone(),
                birth: patient.birth_date.clone(),
                sex: patient.sex.clone(),
            },
        }
    }

    /// HMAC-SHA-256 (RFC 2104) of the patient ID, its first 128 bits in hex.
    fn pseudonym(&self, id: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        mac.update(id.trim().as_bytes());
        mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn read_or_make(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    match File::open(path) {
        Ok(mut file) => file.read_exact(&mut key)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            // Whole or not at all: a key cut short would make other pseudonyms after the next start.
            let fresh = path.with_extension("key.new");
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(&key)?;
            file.sync_all()?;
            std::fs::rename(&fresh, path)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}
