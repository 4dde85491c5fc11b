//! Members' names in one column: semicolons between them, which no name may have in it, and null for nobody.

use rusqlite::Row;

/// The names as the ledger writes them.
pub(super) fn names(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(";"))
}

/// The names in a column; nobody where it is null.
pub fn names_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<String>> {
    let names: Option<String> = row.get(column)?;
    Ok(names.iter().flat_map(|names| names.split(';')).map(str::to_owned).collect())
}
