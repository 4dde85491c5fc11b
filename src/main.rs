//! The kellgrend binary: parse, hand over, exit code.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's own words may quote a file, and so a patient: its place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        // Whoever read our output has had enough (`kellgrend check | head -1`): that is no defect.
        let words = panic.payload_as_str().unwrap_or_default();
        if words.contains("Broken pipe") || words.contains("BrokenPipe") {
            std::process::exit(0);
        }
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        eprintln!("kellgrend: a defect{place}; please report it");
    }));
    kellgrend::cli::Cli::parse().execute()
}
