//! kellgrend grades knee radiographs on the Kellgren-Lawrence scale, unattended.

pub mod digest;
pub mod grade;
pub mod radiograph;
pub mod side;
