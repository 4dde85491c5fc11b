//! The integration tests: one binary, one module a room.

mod film;
mod hostile;
mod radiograph;
