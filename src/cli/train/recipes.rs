//! The numbers of the recipes, for the help.

use crate::cli::table::aligned;
use crate::training::recipe::RecipeName;
use clap::ValueEnum as _;

const HEADING: &str = "\
Numbers of the recipes. image_size 0: with fine-tune that of the release in service,
else the network's own; patience 0: to the last epoch. With a zoom above 1, such as
1.1, networks also look at the middle of the knee, so many times as large, which
takes twice the time of grading; 0: as the release in service looks. An epoch goes
`passes` times over the knees, in the first `small_epochs` with pictures of
`small_side` times the side. `blend` is the share
that the weights of the release in service keep; with balance = weights, a
balance_power of 1 makes all grades count alike, 0.5 goes half of the way.
`ordinal` is what the squared earth mover's distance counts beside cross-entropy,
for all knees alike; with a `sharpness`, such as 0.1, a step takes twice the time
and leads to weights around which the loss stays low:";

/// Every key that `--set` takes, and what it is in each recipe.
pub(super) fn table() -> String {
    let recipes: Vec<_> = RecipeName::value_variants().iter().map(|name| name.recipe().numbers()).collect();
    let rows = (0..recipes[0].len()).map(|row| {
        let key = recipes[0][row].0.clone();
        std::iter::once(key).chain(recipes.iter().map(|recipe| recipe[row].1.clone())).collect::<Vec<_>>()
    });
    let table = aligned(&["--set", "PAPER", "SCRATCH", "FINE-TUNE"], rows);
    let table = table.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!("{HEADING}\n{table}").trim_end().into()
}
