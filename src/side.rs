//! Which of the patient's knees it is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The patient's side, not the picture's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The patient's left knee.
    Left,
    /// The patient's right knee.
    Right,
    /// Nothing says which, or two tags contradict each other.
    #[default]
    Unknown,
}

impl Side {
    /// The word that the ledger, records and file names use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for Side {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "left" => Ok(Self::Left),
            "right" => Ok(Self::Right),
            "unknown" => Ok(Self::Unknown),
            other => Err(format!("{other:?} is not a side (left, right, unknown)")),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
