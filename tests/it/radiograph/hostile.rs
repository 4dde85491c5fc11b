//! The hostile files, one by one, and what all of them cost.

use crate::hostile::files;
use kellgrend::digest::Digest;
use kellgrend::radiograph::{Completeness, Limits, completeness, decode};
use std::collections::HashSet;
use std::process::Command;

#[test]
fn two_hundred_and_more_are_there_and_no_two_alike() {
    let files = files();
    let names: HashSet<_> = files.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), files.len());
    let mut contents = HashSet::new();
    let again: Vec<_> = files.iter().filter(|(_, bytes)| !contents.insert(Digest::of(bytes))).collect();
    assert!(again.is_empty(), "{:?}", again.iter().map(|(name, _)| name).collect::<Vec<_>>());
    // what is merely cut somewhere does not count
    let evil = files.iter().filter(|(name, _)| !name.contains("-after-")).count();
    println!("{} hostile files, {evil} of them more than cut", files.len());
    assert!(evil >= 200, "{evil}");
}

#[test]
fn each_is_refused_for_its_own_reason() {
    for (name, bytes) in files() {
        let expected = name.split("--").next().unwrap();
        match decode(&bytes, &Limits::default()) {
            Ok(film) => panic!("{name} was decoded: {:?}", film.tags),
            Err(refusal) => {
                assert_eq!(refusal.code(), expected, "{name}: {refusal}");
                let text = refusal.to_string();
                assert!(text.ends_with('.') && !text.contains("Doe"), "{name}: {text}");
            }
        }
    }
}

#[test]
fn what_waiting_may_mend_counts_as_truncated() {
    for (name, bytes) in files() {
        let truncated = matches!(completeness(&bytes, &Limits::default()), Completeness::Truncated(_));
        // Only a decoder sees the end of a frame inside whole fragments, and that pixels are fewer than a TIFF's directory says.
        let unseen = name.ends_with("-frame") || name.ends_with("-half-the-rows") || name.ends_with("-bits-that-end");
        let is_due = name.starts_with("truncated--") && !unseen || name.starts_with("empty--");
        assert_eq!(truncated, is_due, "{name}");
    }
}

#[test]
fn all_of_them_need_less_than_half_a_gibibyte() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "radiograph::hostile::in_a_child", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{out}\n{}", String::from_utf8_lossy(&child.stderr));
    let number = |key: &str| -> u64 {
        out.split(key)
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_else(|| panic!("{out}"))
    };
    println!("{} refusals, {} kB at the peak", number("refusals:"), number("VmHWM:"));
    assert_eq!(number("refusals:"), files().len() as u64);
    assert!(number("VmHWM:") < 512 << 10, "{out}");
}

#[test]
#[ignore = "the child of the test above: its peak memory is its own"]
fn in_a_child() {
    let refusals = files().iter().filter(|(_, bytes)| decode(bytes, &Limits::default()).is_err()).count();
    // the daemon itself looks whether a film is whole, and reads what it is: not all of a text without end
    let film = of_a_modality_without_end();
    assert!(matches!(completeness(&film, &Limits::default()), Completeness::Complete));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("refusals: {refusals}\n{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

/// A tenth of a gigabyte, each byte of which is four once it is decoded.
fn of_a_modality_without_end() -> Vec<u8> {
    const BYTES: u32 = 100 << 20;
    let syntax = [&[2, 0, 0x10, 0][..], b"UI", &18u16.to_le_bytes(), b"1.2.840.10008.1.2\0"].concat();
    let characters = [&[8, 0, 5, 0, 10, 0, 0, 0][..], b"ISO_IR 192"].concat();
    let mut film = [&[0; 128][..], b"DICM", &syntax, &characters, &[8, 0, 0x60, 0], &BYTES.to_le_bytes()].concat();
    film.resize(film.len() + BYTES as usize, 0xff);
    film
}
