//! The digest: what came since the last one, and what became of it; as text and as a page with plots.

mod bars;
mod block;
mod page;
mod picture;
mod sections;
mod text;

pub use block::{Block, Section, Table};

use super::alert::Disk;
use crate::drift::{Against, Drift};
use crate::ledger::Figures;
use jiff::{Timestamp, tz::TimeZone};
use std::path::PathBuf;

/// What a digest is made of.
#[derive(Clone, Debug)]
pub struct Digest {
    /// The machine.
    pub host: String,
    /// The state folder.
    pub state: PathBuf,
    /// The last digest's end.
    pub since: Timestamp,
    /// This one's end.
    pub until: Timestamp,
    /// Where its days begin.
    pub zone: TimeZone,
    /// What came.
    pub figures: Figures,
    /// Whether the last weeks differ from what was said before; empty where it is too soon to say.
    pub drift: Vec<(Against, Drift)>,
    /// What is free, one a disk; as it is now.
    pub disks: Vec<Disk>,
}

/// A digest as it is sent.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its subject.
    pub subject: String,
    /// For those who read text.
    pub text: String,
    /// For those who see pages.
    pub html: String,
    /// Content-ID and PNG of each picture in the page.
    pub pictures: Vec<(String, Vec<u8>)>,
}

impl Digest {
    /// The mail.
    pub fn render(&self) -> Rendered {
        let sections = sections::of(self);
        let blocks = sections.iter().flat_map(|section| &section.blocks);
        let pictures = blocks.filter_map(|block| match block {
            Block::Picture(picture) => Some((picture.id.to_owned(), picture.png.clone())),
            _ => None,
        });
        Rendered {
            subject: self.subject(),
            text: text::of(self, &sections),
            html: page::of(self, &sections).into_string(),
            pictures: pictures.collect(),
        }
    }

    /// How many knees were graded.
    fn knees(&self) -> u64 {
        self.figures.grades.iter().sum()
    }

    fn subject(&self) -> String {
        let refused: u64 = self.figures.quarantined.iter().map(|(_, files)| files).sum();
        format!("{} graded, {} quarantined", knees(self.knees()), files(refused))
    }

    /// From when to when, as a clock in the zone shows it.
    fn span(&self) -> String {
        let [since, until] = [self.since, self.until]
            .map(|end| end.to_zoned(self.zone.clone()).strftime("%a %-d %b %Y, %H:%M").to_string());
        format!("{since} to {until}, {}", self.zone.iana_name().unwrap_or("local time"))
    }
}

fn knees(count: u64) -> String {
    crate::card::words::counted(count, "knee")
}

fn files(count: u64) -> String {
    crate::card::words::counted(count, "file")
}
