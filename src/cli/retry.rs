//! `kellgrend retry`

use super::{Exit, Failure, Global, usage};
use crate::digest::Digest;
use crate::state::REASON;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Put quarantined files back into the inbox
///
/// After a limit was raised or a defect mended: the daemon finds them there and tries them again.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kellgrend retry [OPTIONS] <SHA256>...\n       kellgrend retry [OPTIONS] --all")]
pub(super) struct Retry {
    /// Digests, or their first digits, as `kellgrend report refused` shows them
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "SHA256")]
    digests: Vec<String>,
    /// Everything that is in quarantine
    #[arg(long)]
    all: bool,
}

impl Retry {
    pub(super) fn execute(self, global: &Global) -> Result<Exit, Failure> {
        let (_, state) = global.load()?;
        let kept = quarantined(&state.quarantine).with_context(|| {
            format!(
                "the quarantine folder {} cannot be read (--state names another state folder)",
                state.quarantine.display()
            )
        })?;
        let mut chosen = Vec::new();
        if self.all {
            chosen = kept;
        } else {
            for digits in &self.digests {
                let digits = digits.to_lowercase();
                let found: Vec<_> = kept.iter().filter(|(name, _)| name.starts_with(&digits)).cloned().collect();
                // one that was refused as it is and as what it is may lie there twice
                let radiographs: BTreeSet<_> = found.iter().map(|(name, _)| digest_of(name)).collect();
                match radiographs.len() {
                    0 => {
                        return Err(usage(anyhow::anyhow!(
                            "nothing in quarantine begins with {digits}; what `kellgrend grade` refused is still where it was"
                        )));
                    }
                    1 => chosen.extend(found),
                    _ => return Err(usage(anyhow::anyhow!("several files in quarantine begin with {digits}"))),
                }
            }
        }
        for (name, path) in &chosen {
            let digest = digest_of(name);
            // Across file systems a plain copy would be seen half-written; settling waits for its end.
            crate::state::move_file(path, &state.inbox.join(name))
                .with_context(|| format!("{digest} cannot be moved into the inbox"))?;
            match std::fs::remove_file(state.quarantine_reason(digest)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => println!("{} is back in the inbox", &digest[..12.min(digest.len())]),
            }
        }
        if chosen.is_empty() {
            println!("quarantine is empty");
        }
        Ok(Exit::Done)
    }
}

fn digest_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn quarantined(folder: &std::path::Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && digest_of(&name).parse::<Digest>().is_ok()
            && !name.ends_with(REASON)
        {
            files.push((name, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}
