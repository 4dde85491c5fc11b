//! kellgrend grades knee radiographs on the Kellgren-Lawrence scale, unattended.

pub mod digest;
pub mod ensemble;
pub mod grade;
pub mod networks;
pub mod side;
