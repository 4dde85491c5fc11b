//! The starter on labelled knees, through the whole program. PyTorch, with the same weights in float32, is right in 65.38 % of all 826
//! of `val`, as kellgrend is; here are the patients whose numbers end in 0.

use crate::sandbox::{Sandbox, shared};
use serde_json::Value;
use std::path::Path;

#[test]
fn the_starter_grades_the_labelled_knees_as_well_as_ever() {
    let Some(val) = shared("knee/val") else { return };
    let sandbox = Sandbox::new();
    let knees = val.join("*/*0?.jpg");
    let output = sandbox.output(&["grade", knees.to_str().expect("UTF-8"), "--json", "--no-pictures"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut right, mut all) = (0, 0);
    for line in text.lines() {
        let answer: Value = serde_json::from_str(line).expect("a JSON object");
        // val/{grade}/{patient}{L|R}.jpg
        let folder = Path::new(answer["file"].as_str().expect("a file")).parent().expect("a folder");
        let label = folder.file_name().expect("a grade").to_string_lossy().into_owned();
        right += usize::from(answer["grade"].as_u64() == label.parse().ok());
        all += 1;
    }
    assert_eq!(all, 84);
    // in bf16, where a processor has it, knees between two grades may go either way
    assert!((right as i32 - 56).abs() <= 2, "{right} of {all}");
}
