//! A release's model card: what it is, what it was made of, how well it grades, and where its limits are.
//!
//! `card.html` is for people: one page that asks for nothing beside it, read on paper or on any screen. `card.json` has
//! the same values for programs. What there is nothing to tell of is left out.

pub(crate) mod colours;
mod comparison;
mod confusion;
mod data;
mod examples;
mod learning;
mod limits;
mod members;
mod page;
pub(crate) mod plot;
mod ranking;
mod release;
mod reliability;
mod results;
mod review;
pub(crate) mod scale;
mod strip;
mod subsets;
mod voters;
pub(crate) mod words;

pub use comparison::{Change, Compared};
pub use data::{Data, FoldRow};
pub use examples::Example;
pub use learning::{Curve, Point};
pub use members::Member;
pub use page::style;
pub use release::Release;
pub use results::{Results, Voter};
pub use review::Review;
pub use subsets::Subset;

use serde::Serialize;

/// Goes up when a field of `card.json` changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 2;

/// What every card says first.
const NOTICE: &str = "Not a medical device; not for diagnosis.";

/// All that a card tells; the names of the fields are a public contract.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// [`SCHEMA_VERSION`] of the program that made it.
    pub schema_version: u32,
    /// The release.
    pub release: Release,
    /// Its networks.
    pub members: Vec<Member>,
    /// What they learnt from; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// How they were trained: settings and their values.
    pub recipe: Vec<(String, String)>,
    /// How learning went.
    pub curves: Vec<Curve>,
    /// How well it grades, on one set of knees after another; the most telling first.
    pub results: Vec<Results>,
    /// How it did against the release that was in service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Compared>,
    /// Which knees a human should read again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// How well some of the networks grade together, the best first.
    pub subsets: Vec<Subset>,
    /// Knees, and where the networks looked.
    pub examples: Vec<Example>,
}

impl Card {
    /// `card.html`.
    pub fn html(&self) -> String {
        page::of(self).into_string()
    }

    /// `card.json`: all values, and that it is no medical device.
    pub fn json(&self) -> String {
        /// The notice, and the card.
        #[derive(Serialize)]
        struct Noticed<'a> {
            notice: &'static str,
            #[serde(flatten)]
            card: &'a Card,
        }
        serde_json::to_string_pretty(&Noticed { notice: NOTICE, card: self }).expect("plain values have a JSON form")
    }
}
