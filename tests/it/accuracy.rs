//! The starter on labelled knees: PyTorch's answer for the same weights, through the whole program.

use crate::sandbox::{Sandbox, shared};
use serde_json::Value;
use std::path::Path;

#[test]
fn the_starter_grades_the_labelled_knees_as_well_as_pytorch_does() {
    let Some(val) = shared("knee/val") else { return };
    let sandbox = Sandbox::new();
    let output = sandbox.output(&["grade", val.to_str().expect("UTF-8"), "--json", "--no-pictures"]);
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
    assert_eq!(all, 826);
    let accuracy = 100.0 * right as f64 / all as f64;
    assert!((accuracy - 65.4).abs() <= 0.4, "{accuracy:.2} %");
}
