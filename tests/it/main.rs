//! What kellgrend does, seen from outside: one binary, a module a room.

mod outbox;
mod overlay;
mod phantom;
