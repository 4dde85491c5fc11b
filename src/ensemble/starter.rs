//! The starter release: carried in the binary, so that a new installation can grade at once.

use super::release::{Release, ReleaseError};
use std::path::Path;

/// Its name.
pub const NAME: &str = "starter";

const FILES: [(&str, &[u8]); 5] = [
    (
        "shufflenet_v2_x2_0.safetensors",
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/shufflenet_v2_x2_0.safetensors")),
    ),
    ("MODEL_CARD.md", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/MODEL_CARD.md"))),
    ("card.html", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/card.html"))),
    ("card.json", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/card.json"))),
    ("release.toml", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/release.toml"))),
];

/// Opens the starter release in `models`; writes it there first, whole or not at all, where it is absent.
///
/// Does not call into libtorch.
pub fn install(models: &Path) -> Result<Release, ReleaseError> {
    match Release::write(models, NAME, &FILES) {
        Err(ReleaseError::Exists { path }) => Release::open(&path),
        outcome => outcome,
    }
}
