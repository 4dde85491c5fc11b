//! Whether ledger and folders agree.

use super::Findings;
use crate::audit::{Audit, audit, decayed, originals};
use crate::cli::progress::bar;
use crate::ledger::audit::Judged;
use crate::state::State;
use std::io::{IsTerminal as _, stdout};

/// On a terminal, not more than so many names of what is wrong; the count says how many there are.
const SHOWN: usize = 10;

impl Findings {
    pub(super) fn agreement(&mut self, state: &State, is_strict: bool) -> anyhow::Result<()> {
        let found = audit(state)?;
        if let Some(pid) = state.holder() {
            self.warn("instance", &format!("process {pid} is at work; what it moves meanwhile may seem gone"));
        }
        for Judged { law, broken_by } in &found.rows {
            match broken_by.is_empty() {
                true => self.good("rows", law),
                false => self.bad("rows", &format!("not so: {law}{}", list(broken_by))),
            }
        }
        let Audit { files, in_work, whole, gone, wrong, .. } = &found;
        self.good(
            "files",
            &format!("{files} on record, {in_work} of them in work; {whole} whole results in the outbox"),
        );
        if !gone.is_empty() {
            let words = format!("{} that somebody has removed, or that are lost{}", gone.len(), list(gone));
            if is_strict { self.bad("gone", &words) } else { self.warn("gone", &words) }
        }
        if !wrong.is_empty() {
            self.bad("folders", &format!("{} that do not agree with the ledger{}", wrong.len(), list(wrong)));
        }
        Ok(())
    }

    pub(super) fn originals(&mut self, state: &State) {
        let (kept, mut wrong) = originals(state);
        let bar = bar(kept.len());
        wrong.extend(bar.wrap_iter(kept.iter()).filter_map(decayed));
        bar.finish_and_clear();
        match wrong.is_empty() {
            true => self.good("originals", &format!("{} read back, all as they came", kept.len())),
            false => {
                let of = format!("{} wrong with {} originals", wrong.len(), kept.len());
                self.bad("originals", &format!("{of}; put back what a backup has of them{}", list(&wrong)));
            }
        }
    }
}

fn list(all: &[String]) -> String {
    let shown = if stdout().is_terminal() { SHOWN } else { all.len() };
    let more = all.len().saturating_sub(shown);
    let more = (more > 0).then(|| format!("and {more} more"));
    all.iter().take(shown).cloned().chain(more).map(|line| format!("\n                  {line}")).collect()
}
