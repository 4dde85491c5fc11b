//! The kellgrend binary: parse, hand over, exit code.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's own words may quote a file, and so a patient: its place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        eprintln!("kellgrend: a defect{place}; please report it");
    }));
    kellgrend::cli::Cli::parse().execute()
}
