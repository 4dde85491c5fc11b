//! What a digest is laid out of, whatever it is read with.

use super::picture::Picture;

/// A part of a digest: another one is another value.
#[derive(Clone, Debug)]
pub struct Section {
    /// What it is about.
    pub title: &'static str,
    /// What it says, from top to bottom.
    pub blocks: Vec<Block>,
}

/// What a section says.
#[derive(Clone, Debug)]
pub enum Block {
    /// A sentence or two.
    Line(String),
    /// Numbers.
    Table(Table),
    /// A plot; who reads text does without.
    Picture(Picture),
}

/// Words in the first column, numbers in all others.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the columns are.
    pub head: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}
