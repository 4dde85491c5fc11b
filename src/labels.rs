//! Readers' grades, as they come: lists of comma-separated values, and single ones.

mod folder;
mod list;
mod word;

pub use folder::{LabelFolder, refused};
pub use list::{ListError, read};
pub use word::{by_digest, by_file, by_instance_uid, by_uid, grade, read_at, reader, side};
