//! The kellgrend binary.

fn main() {}
