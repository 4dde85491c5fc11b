//! Files that may have taken the process down.

use super::{Ledger, LedgerError};

impl Ledger {
    /// The last start was aborted. Whatever was being graded is suspected and will be graded alone; if anything was suspected
    /// before, the first of it was alone when it happened again.
    pub fn accuse(&self) -> Result<(), LedgerError> {
        self.write_blocking(|db| {
            let alone = db.execute(
                "UPDATE files SET aborts = aborts + 1 WHERE id = \
                 (SELECT min(id) FROM files WHERE state IN ('claimed', 'graded') AND aborts > 0)",
                [],
            )?;
            if alone == 0 {
                db.execute("UPDATE files SET aborts = 1 WHERE state IN ('claimed', 'graded')", [])?;
            }
            Ok(())
        })
    }
}
