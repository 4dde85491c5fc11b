//! `kellgrend backup`

use super::{Exit, Failure, Global, usage};
use crate::ledger::{BackupError, back_up};
use bytesize::ByteSize;
use std::path::PathBuf;

/// Copy the ledger into one file, while the daemon goes on writing
///
/// The copy is the ledger as it is at one moment. It appears under its name once it is whole, on disk, and was opened and
/// checked: its pages, its references, and the rows of each table against the ledger's.
///
/// To restore it: stop the daemon, put the copy into the state folder as ledger.db, remove ledger.db-wal and ledger.db-shm
/// beside it, if they are there, and run `kellgrend check`. Keep identity.key and the folder models/ of the state folder with the
/// copies: without the one, the daemon does not start where there are pseudonyms; in the other are the networks.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The file to make
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        let copied = back_up(&state.ledger, &self.file, self.force).map_err(|error| match error {
            BackupError::Exists { .. } | BackupError::Itself { .. } => usage(error),
            error => error.into(),
        })?;
        println!("{}: {}, {} rows, checked", self.file.display(), ByteSize(copied.bytes), copied.rows);
        println!(
            "To restore it, stop the daemon and put it in the place of {}; `kellgrend backup --help` says more.",
            state.ledger.display()
        );
        Ok(Exit::Done)
    }
}
