//! kellgrend grades knee radiographs on the Kellgren-Lawrence scale, unattended.
//!
//! The rooms, in reading order; a room uses only those below it.
//!
//! - [`cli`]: the commands
//! - [`daemon`]: `kellgrend run`
//! - [`training`]: networks learn from labelled knees ([`dataset`]), and become a release
//! - [`station`]: folders, ledger, release and networks, put together
//! - [`audit`]: ledger and folders held against each other
//! - [`intake`]: from the inbox into work: watch, settle, claim
//! - [`grading`]: one radiograph: decode -> knees -> ensemble -> ledger -> outbox
//! - [`outbox`]: the result record, the pictures, how they appear
//! - [`labels`]: readers' grades, as they come
//! - [`mail`]: alerts and digests: what is due, in words, to a server
//! - [`ledger`]: SQLite, all durable state
//! - [`ensemble`]: releases, members, vote, Grad-CAM; [`networks`]: one architecture a file
//! - [`card`]: a release's model card; [`evaluation`]: grades against readers', [`drift`]: against earlier ones; pure arithmetic
//! - [`gpu`]: its driver, libtorch's half for it, and an extension of ours
//! - [`download`]: files from the network, checked by hash
//! - [`decoding`]: the same in processes of their own, which can do nothing else
//! - [`radiograph`]: bytes -> grey picture and what the tags say
//! - [`phantom`]: synthetic radiographs, for the demo, the benchmark and the tests
//! - [`state`], [`config`]: folders, how files are moved; settings
//! - [`gauges`]: what is counted of the work; [`outside`]: how it is seen from outside: page, metrics, status, systemd
//! - [`log`]: what is said, and how often
//! - [`schedule`]: when a training is due, pure; [`outage`]: since when something fails; [`grade`], [`side`],
//!   [`digest`]: plain types

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
