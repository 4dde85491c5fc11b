//! All integration tests, in one binary.

mod ensemble;
mod golden;
mod networks;
mod weights;
