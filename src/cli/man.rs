//! `kellgrend man`

use super::{Cli, Exit, Failure};
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::io::{Write as _, stdout};
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
                let wrong = || format!("manual pages cannot be written to {}", folder.display());
                std::fs::create_dir_all(&folder).with_context(wrong)?;
                clap_mangen::generate_to(Cli::command(), &folder).with_context(wrong)?;
                for page in folder.read_dir()? {
                    let page = page?.path();
                    let name = page.file_name().unwrap_or_default().to_string_lossy();
                    if name.starts_with("kellgrend") && name.ends_with(".1") {
                        std::fs::write(&page, laid_out(&std::fs::read_to_string(&page)?))?;
                    }
                }
            }
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Cli::command()).render(&mut page)?;
                stdout().write_all(laid_out(&String::from_utf8_lossy(&page)).as_bytes())?;
            }
        }
        Ok(Exit::Done)
    }
}

/// What stands behind the options has lines and columns of its own, which are not to be filled up.
fn laid_out(page: &str) -> String {
    let Some((before, extra)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (notes, rest) = extra.split_at(extra.find("\n.SH ").map_or(extra.len(), |at| at + 1));
    format!("{before}.SH NOTES\n.nf\n{}\n.fi\n{rest}", notes.trim_end())
}
