//! `kellgrend completions`

use super::{Cli, Exit, Failure};
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Print a completion script for a shell
///
/// For bash: kellgrend completions bash > ~/.local/share/bash-completion/completions/kellgrend
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        clap_complete::generate(self.shell, &mut Cli::command(), "kellgrend", &mut std::io::stdout());
        Ok(Exit::Done)
    }
}
