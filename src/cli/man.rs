//! `kellgrend man`

use super::{Cli, Exit, Failure};
use clap::CommandFactory as _;
use std::path::PathBuf;

/// Write the manual pages into a folder, one a command
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder; without one, the page of kellgrend itself goes to standard output
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        match self.folder {
            Some(folder) => {
                std::fs::create_dir_all(&folder)?;
                clap_mangen::generate_to(Cli::command(), folder)?;
            }
            None => clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?,
        }
        Ok(Exit::Done)
    }
}
