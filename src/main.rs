//! The kellgrend binary: parse, hand over, exit code.

use clap::Parser as _;
use std::io::{Write as _, stderr, stdout};

fn main() -> ! {
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
    let code = kellgrend::cli::Cli::parse().execute();
    let _ = stdout().flush();
    end(code)
}

/// Without what libraries do at an end: libtorch takes a tenth of a second to take itself apart, of a command that took two.
#[allow(unsafe_code)]
fn end(code: u8) -> ! {
    // SAFETY: the process ends here; what it has to keep is on disk, and what it has to say was said
    unsafe { libc::_exit(code.into()) }
}
