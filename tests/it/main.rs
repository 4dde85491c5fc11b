//! What kellgrend does, seen from outside: one binary, a module a room.

mod accuracy;
mod bench;
mod cli;
mod daemon;
mod download;
mod ensemble;
mod evaluation;
mod faults;
mod film;
mod films;
mod golden;
mod hostile;
mod launches;
mod ledger;
mod networks;
mod outbox;
mod overlay;
mod phantom;
mod pictures;
mod quorum;
mod radiograph;
mod sandbox;
mod server;
mod settings;
mod settle;
mod weights;
