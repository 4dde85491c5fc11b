//! What kellgrend does, seen from outside: one binary, a module a room.

mod outbox;
mod overlay;
mod phantom;
//! The integration tests: one binary, one module a room.

mod film;
mod hostile;
mod radiograph;
