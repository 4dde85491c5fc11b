//! The digest for those who read text.

use super::Digest;
use super::block::{Block, Section, Table};
use std::fmt::Write as _;

/// All sections, tables aligned.
pub(super) fn of(digest: &Digest, sections: &[Section]) -> String {
    let mut text = format!("kellgrend on {}\n{}\n", digest.host, digest.span());
    // writing into a string cannot fail
    for (name, value) in super::page::glance(digest) {
        let _ = write!(text, "\n{name:<16}{value:>10}");
    }
    text.push('\n');
    for Section { title, blocks } in sections {
        let _ = write!(text, "\n\n{title}\n{}\n", "-".repeat(title.len()));
        for block in blocks {
            match block {
                Block::Line(line) => drop(writeln!(text, "{line}")),
                Block::Table(table) => text += &aligned(table),
                Block::Picture(_) => {}
            }
        }
    }
    let _ = write!(text, "\n--\n{}\n", super::page::foot(digest));
    text.replace('\u{a0}', " ")
}

/// The first column to the left, the others to the right.
fn aligned(Table { head, rows }: &Table) -> String {
    let head: Vec<_> = head.iter().map(|&name| name.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &&Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    lines.iter().map(line).collect()
}
