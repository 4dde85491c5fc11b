//! A state folder whose ledger has two years of a clinic in it, as the benchmark makes them.

#[path = "../../benches/ledger/clinic.rs"]
mod made;

use crate::sandbox::Sandbox;
use jiff::{Timestamp, Unit};
use made::Clinic;

/// Some 2,000 knees, the last of them now.
pub fn clinic() -> Sandbox {
    let sandbox = Sandbox::new();
    let until = Timestamp::now().round(Unit::Millisecond).expect("a time");
    Clinic { knees: 2000, until, seed: 1 }.fill(&sandbox.state().join("ledger.db")).expect("a ledger");
    sandbox
}
