//! `kellgrend.toml`: what is valid can be written down, and is valid then.
#![no_main]

use kellgrend::config::Settings;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let path = Path::new("kellgrend.toml");
    if let Ok(settings) = Settings::parse(text, path) {
        Settings::parse(&settings.to_toml(), path).expect("valid");
    }
});
