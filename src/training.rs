//! It learns from labelled knees: a frozen set, folds, a network for each, and a choice among them.
//!
//! In reading order: a [`set`] is frozen and dealt to [`folds`], the same as those of its [`parent`]; a [`plan`] says what a [`run`]
//! does; [`work`] goes through its fits; a [`fit`] takes a [`recipe`], [`pictures`] and their [`augmentation`], and moves [`parameters`]
//! against a [`loss`] by an [`optimiser`]; [`choice`] makes members of fits, and the [`gate`] lets the new release pass or not.

pub mod augmentation;
pub mod choice;
pub mod examination;
pub mod fit;
pub mod folds;
pub mod gate;
pub mod loss;
pub mod mixing;
pub mod optimiser;
pub mod parameters;
pub mod parent;
pub mod pictures;
pub mod plan;
pub mod reading;
pub mod recipe;
pub mod release;
pub mod report;
pub mod run;
pub mod set;
pub mod work;
