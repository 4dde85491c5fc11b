//! The outbox: what leaves the house, one folder a radiograph, whole or not at all.
//!
//! - [`overlay`]: the picture of where the networks looked, and the bare map beside it
//! - [`record`]: `result.json`, which can be understood without the ledger
//! - [`publish`]: how a folder appears in the outbox, and how the rubble of a crash is swept away

pub mod overlay;
pub mod publish;
pub mod record;
