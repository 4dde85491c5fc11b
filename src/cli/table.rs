//! Aligned tables for a terminal.

use crate::ledger::Table;
use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, presets};
use serde_json::Value;

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Style {
    /// Aligned columns
    #[default]
    Table,
    /// Comma-separated values (RFC 4180) with a header line
    Csv,
    /// A JSON array of objects
    Json,
    /// Apache Parquet: columns with types, times as timestamps; for a file
    Parquet,
}

impl Table {
    /// Only these columns, where they are there.
    pub(super) fn keep_columns(&mut self, wanted: &[&str]) {
        let kept: Vec<bool> = self.columns.iter().map(|column| wanted.contains(&column.as_str())).collect();
        let mut keep = kept.iter();
        self.columns.retain(|_| keep.next().is_some_and(|keep| *keep));
        for row in &mut self.rows {
            let mut keep = kept.iter();
            row.retain(|_| keep.next().is_some_and(|keep| *keep));
        }
    }

    /// The table for the eye.
    pub(super) fn aligned(&self) -> String {
        // A column without a single value would only push the others off the screen.
        let told: Vec<usize> =
            (0..self.columns.len()).filter(|&i| self.rows.iter().any(|row| !row[i].is_null())).collect();
        let header: Vec<_> = told.iter().map(|&i| self.columns[i].as_str()).collect();
        aligned(&header, self.rows.iter().map(|row| told.iter().map(|&i| cell(&row[i]))))
    }
}

/// Columns two spaces apart, those of numbers to the right.
pub(super) fn aligned<H, R>(header: &[H], rows: R) -> String
where
    H: AsRef<str>,
    R: IntoIterator,
    R::Item: IntoIterator<Item = String>,
{
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(AsRef::as_ref));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
    let is_number = |text: &String| text.is_empty() || text == "-" || text.parse::<f64>().is_ok() && text.len() < 12;
    let are_numbers: Vec<bool> =
        (0..header.len()).map(|i| rows.iter().filter_map(|row| row.get(i)).all(is_number)).collect();
    table.add_rows(rows);
    for (column, are_numbers) in table.column_iter_mut().zip(are_numbers) {
        column.set_padding((0, 2));
        column.set_cell_alignment(if are_numbers { CellAlignment::Right } else { CellAlignment::Left });
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A value for the eye: digests shortened, nothing for null.
fn cell(value: &Value) -> String {
    match exact(value) {
        text if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => text[..12].to_owned(),
        // a line a row, whatever files are called
        text => value.as_f64().filter(|_| value.is_f64()).map_or_else(|| text.replace(char::is_control, "?"), number),
    }
}

/// Four places; what would be none of these is no zero.
fn number(number: f64) -> String {
    if number != 0.0 && number.abs() < 0.00005 { format!("{number:.1e}") } else { format!("{number:.4}") }
}

/// A value as it is; nothing for null.
pub(super) fn exact(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
