//! The kellgrend binary: parse, hand over, exit code.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    kellgrend::cli::Cli::parse().execute()
}
