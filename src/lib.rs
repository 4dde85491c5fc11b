//! kellgrend grades knee radiographs on the Kellgren-Lawrence scale, unattended.
//!
//! `ARCHITECTURE.md` is the map of its rooms.

pub mod audit;
pub mod card;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod dataset;
pub mod decoding;
pub mod digest;
pub mod download;
pub mod drift;
pub mod ensemble;
pub mod evaluation;
pub mod gauges;
pub mod gpu;
pub mod grade;
pub mod grading;
pub mod intake;
pub mod labels;
pub mod ledger;
pub mod log;
pub mod mail;
pub mod memory;
pub mod networks;
pub mod outage;
pub mod outbox;
pub mod outside;
pub mod phantom;
pub mod radiograph;
pub mod retention;
pub mod schedule;
pub mod side;
pub mod state;
pub mod station;
pub mod training;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
