//! The starter on labelled knees, through the whole program. PyTorch, with the same weights in float32, is right in 65.38 % of all 826
//! of `val`, as kellgrend is; here are the patients whose numbers end in 0.

use crate::sandbox::{Sandbox, shared};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What kellgrend says of them in float32, in the order of the files' names; it is right of 56.
const GRADES: &str = "000010001321004312100022000100012200303311111200122311230010020001220022000002224232";

#[test]
fn the_starter_grades_the_labelled_knees_as_well_as_ever() {
    let Some(val) = shared("knee/val") else { return };
    let sandbox = Sandbox::new();
    let knees = val.join("*/*0?.jpg");
    let output = sandbox.output(&["grade", knees.to_str().expect("UTF-8"), "--json", "--no-pictures"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut grades = BTreeMap::new();
    for line in text.lines() {
        let answer: Value = serde_json::from_str(line).expect("a JSON object");
        // val/{grade}/{patient}{L|R}.jpg
        let file = Path::new(answer["file"].as_str().expect("a file")).file_name().expect("a name").to_owned();
        grades.insert(file, answer["grade"].to_string());
    }
    let grades: String = grades.into_values().collect();
    assert_eq!(grades.len(), GRADES.len(), "{grades}");
    // in bf16, where a processor has it, one of all 826 is graded otherwise
    let others = grades.chars().zip(GRADES.chars()).filter(|(grade, known)| grade != known).count();
    assert!(others <= 1, "{others} are graded otherwise than in float32: {grades}");
}
