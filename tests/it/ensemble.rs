//! The ensemble: devices, releases, votes, and several members together.

mod batches;
mod device;
pub mod members;
mod pictures;
mod probabilities;
mod releases;
mod votes;
