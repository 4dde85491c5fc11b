//! What kellgrend does, seen from outside: one binary, a module a room.

mod daemon;
mod faults;
mod film;
mod films;
mod hostile;
mod outbox;
mod overlay;
mod phantom;
mod radiograph;
mod sandbox;
