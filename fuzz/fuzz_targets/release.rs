//! `release.toml`: whatever is made of it, its members' files lie beside it.
#![no_main]

use kellgrend::ensemble::Release;
use libfuzzer_sys::fuzz_target;
use std::path::{Component, Path};
use std::sync::LazyLock;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(FOLDER.path().join("release.toml"), bytes).expect("written");
    let Ok(release) = Release::open(FOLDER.path()) else { return };
    for member in release.members() {
        let parts: Vec<_> = Path::new(&member.entry().file).components().collect();
        assert!(matches!(parts[..], [Component::Normal(_)]));
    }
});
