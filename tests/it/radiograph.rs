//! Bytes to a grey picture: what is read, what is refused, and what neither may cost.
#![allow(clippy::unwrap_used)]

mod codings;
mod grey;
mod hostile;
mod knees;
mod mutations;
mod raster;
pub mod samples;
mod shared;
mod subject;
