//! Why a file is not graded, in words for its sender and in a code for the ledger.

use thiserror::Error;

/// Why bytes did not become a radiograph. No text from the file is repeated, so no patient data can be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There are no bytes.
    #[error("The file is empty: send it again.")]
    Empty,
    /// More bytes, pixels or columns than the limits allow.
    #[error("The file is too large: {0}. Raise the limits in [radiographs] if such films are expected.")]
    TooLarge(String),
    /// Neither DICOM nor a picture.
    #[error("The file is no image but {0}: send a DICOM, PNG, JPEG or TIFF file.")]
    NotAnImage(&'static str),
    /// Files packed into one.
    #[error("The file is a {0}: unpack it and send the films in it one by one.")]
    Archive(&'static str),
    /// A DICOMDIR: a table of contents (PS3.3 F).
    #[error("The file is a DICOMDIR, a list of other files: send the films that it lists.")]
    Directory,
    /// The end is missing.
    #[error("The file is truncated: {0}. Send it again.")]
    Truncated(String),
    /// The bytes contradict themselves or their format.
    #[error("The file is damaged: {0}. Export it again.")]
    Damaged(String),
    /// A DICOM object without a picture: a report, a presentation state, a key object selection, a plan.
    #[error("The DICOM object holds no picture ({0}): send the film itself.")]
    NoPixels(&'static str),
    /// A picture from another kind of machine.
    #[error("The picture is not a radiograph (its modality is {0}): send CR, DX, RG or SC.")]
    NotARadiograph(&'static str),
    /// A radiograph of another part of the body.
    #[error("The radiograph shows no knee: its body part is {0}. Correct the tag if it is wrong.")]
    NotAKnee(&'static str),
    /// A lateral or skyline view; the Kellgren-Lawrence grade is read on a frontal one.
    #[error("The radiograph is not a frontal view of the knee: send the AP or PA film.")]
    NotFrontal,
    /// A valid file that this program cannot read.
    #[error("The file cannot be read: {0}. Export it as an uncompressed grey DICOM or PNG file.")]
    Unsupported(String),
    /// Every pixel has the same grey.
    #[error("The picture is blank: every pixel has the same grey. Send another exposure.")]
    Blank,
    /// A picture that kellgrend itself has made.
    #[error("The picture was made by kellgrend: send the original film, not a result.")]
    OwnOutput,
}

impl Refusal {
    /// Every stable word.
    pub const CODES: [&'static str; 14] = [
        "empty",
        "too-large",
        "not-an-image",
        "archive",
        "dicom-directory",
        "truncated",
        "damaged",
        "no-pixels",
        "not-a-radiograph",
        "not-a-knee",
        "not-frontal",
        "unsupported",
        "blank",
        "own-output",
    ];

    /// The stable word that the ledger and the reports use.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge(_) => "too-large",
            Self::NotAnImage(_) => "not-an-image",
            Self::Archive(_) => "archive",
            Self::Directory => "dicom-directory",
            Self::Truncated(_) => "truncated",
            Self::Damaged(_) => "damaged",
            Self::NoPixels(_) => "no-pixels",
            Self::NotARadiograph(_) => "not-a-radiograph",
            Self::NotAKnee(_) => "not-a-knee",
            Self::NotFrontal => "not-frontal",
            Self::Unsupported(_) => "unsupported",
            Self::Blank => "blank",
            Self::OwnOutput => "own-output",
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(crate) fn truncated(what: impl Into<String>) -> Self {
        Self::Truncated(what.into())
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Runs a foreign decoder; its panic becomes a refusal.
    pub(crate) fn on_panic<T>(run: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        // What the closure borrows is read only or dropped after a panic, so no broken state is seen.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
            .unwrap_or_else(|_| Err(Self::damaged("its decoder gave up on it")))
    }
}
