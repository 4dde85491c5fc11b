//! Bytes to a grey picture: what is read, what is refused, and what neither may cost.

mod codings;
mod grey;
mod hostile;
mod knees;
mod mutations;
mod raster;
pub mod samples;
mod shared;
mod subject;
