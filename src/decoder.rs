//! The program `kellgrend-decode`: radiographs decoded for the process at the other end of standard input, without files, network or
//! much memory.
//!
//! It has the rooms that read bytes and nothing else. Without libtorch, which takes half a second and 120 MB to load, it is there at
//! once, and small is what hostile bytes could get hold of.
#![allow(unused)] // what the other side of these rooms uses

mod decoding;
mod radiograph;
mod side;

use clap::Parser as _;
use decoding::child;
use radiograph::Limits;
use std::process::ExitCode;

/// Decode radiographs for the process at the other end of standard input
///
/// Not for humans: `kellgrend run` and other commands start it.
#[derive(Debug, clap::Parser)]
#[command(name = "kellgrend-decode", version)]
struct Decode {
    #[arg(long)]
    max_bytes: u64,
    #[arg(long)]
    max_pixels: u64,
    #[arg(long)]
    max_side: u32,
    #[arg(long)]
    memory: u64,
}

fn main() -> ExitCode {
    // it was started by the number of an open file, which says nothing to who looks at processes
    let _ = std::fs::write("/proc/self/comm", "kellgrend-decode");
    let Decode { max_bytes, max_pixels, max_side, memory } = Decode::parse();
    // what went wrong may quote a file, and so a patient; the other side sees that this has ended
    match child::serve(&Limits { max_bytes, max_pixels, max_side }, memory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
