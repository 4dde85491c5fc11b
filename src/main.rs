//! The kellgrend binary: parse, hand over, exit code.

use clap::Parser as _;
use std::io::{Write as _, stderr};
use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's own words may quote a file, and so a patient: its place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        // Whoever read our output has had enough (`kellgrend check | head -1`): that is no defect.
        let words = panic.payload_as_str().unwrap_or_default();
        if words.contains("Broken pipe") || words.contains("BrokenPipe") {
            std::process::exit(0);
        }
        if words.starts_with("failed printing to stdout") {
            let why = words.split_once(": ").map_or("", |(_, why)| why);
            let _ = writeln!(stderr(), "kellgrend: what there is to say cannot be written: {why}");
            std::process::exit(3);
        }
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        // where nobody listens it is no second panic
        let _ = writeln!(stderr(), "kellgrend: a defect{place}; please report it");
    }));
    kellgrend::cli::Cli::parse().execute()
}
