//! A list of readers' labels, as it may be dropped into the labels folder.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(labels) = kellgrend::labels::read(bytes, None, None) {
        assert!(labels.iter().all(|label| !label.reader.is_empty()));
    }
});
