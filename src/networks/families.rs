//! What several architectures are made of.

pub mod efficientnet;
pub mod resnet;
