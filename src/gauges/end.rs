//! How files end.

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its result is published.
    Graded,
    /// The same bytes had come before.
    Duplicate,
    /// It cannot be graded, for the reason of this code.
    Quarantined(&'static str),
    /// It was taken away.
    Withdrawn,
}

impl End {
    /// All outcomes.
    pub(super) const WORDS: [&'static str; 4] = ["graded", "duplicate", "quarantined", "withdrawn"];

    pub(super) fn as_str(self) -> &'static str {
        Self::WORDS[match self {
            Self::Graded => 0,
            Self::Duplicate => 1,
            Self::Quarantined(_) => 2,
            Self::Withdrawn => 3,
        }]
    }
}
