//! The model card of a release whose importer wrote none.

use super::manifest::{Manifest, Metrics};
use crate::ensemble::look::FROM_AFAR;
use std::fmt::Write as _;

/// Markdown made from what the manifest says.
pub fn text(manifest: &Manifest) -> String {
    let mut card = format!(
        "# {}\n\nGrades knee radiographs 0 to 4 on the Kellgren-Lawrence scale. NOT A MEDICAL DEVICE.\n\n## Members\n\n",
        manifest.name
    );
    for member in &manifest.members {
        // writing to a String cannot fail
        let (name, architecture, size) = (&member.name, member.architecture, member.image_size);
        let zoom = if member.zoom > FROM_AFAR { format!(", zoom {}", member.zoom) } else { String::new() };
        let _ = writeln!(card, "- {name}: {architecture} at {size} pixels{zoom}, temperature {}", member.temperature);
    }
    let _ = write!(card, "\nVote: {}.\n\n## How well it grades\n\n", manifest.vote);
    if manifest.metrics.is_empty() {
        card.push_str("Nobody has said. Measure it on radiographs like yours before you rely on it.\n");
    }
    for metrics in &manifest.metrics {
        let _ = writeln!(card, "- {}", measured(metrics));
    }
    let provenance = &manifest.provenance;
    let _ = write!(card, "\n## Where it comes from\n\n{}\n", provenance.note.as_deref().unwrap_or("Imported from:"));
    for origin in &provenance.sources {
        let _ = writeln!(card, "- `{}`, SHA-256 {}", origin.file, origin.sha256);
    }
    let _ = writeln!(card, "\nWritten by {} at {:.0}.", provenance.program, manifest.created);
    card
}

fn measured(metrics: &Metrics) -> String {
    let mut line = format!("{}: accuracy {:.4}", metrics.data, metrics.accuracy);
    for (name, value) in [("macro F1", metrics.macro_f1), ("quadratic kappa", metrics.quadratic_kappa)] {
        if let Some(value) = value {
            let _ = write!(line, ", {name} {value:.4}");
        }
    }
    if let Some(knees) = metrics.knees {
        let _ = write!(line, " ({knees} knees)");
    }
    line
}
