//! State dicts as PyTorch writes them, and files that pretend to be some. tests/fixtures/state_dicts/make.py wrote them.

use kellgrend::networks::weights::{Weights, WeightsError};
use proptest::prelude::*;
use std::{fs, path::PathBuf};

const A: [f32; 6] = [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5];
const B: [f32; 6] = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0];

fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/state_dicts", name].iter().collect();
    fs::read(path).expect("the fixture is there")
}

/// The same state as zip and as legacy file.
fn both(kind: &str) -> [Vec<u8>; 2] {
    [fixture(&format!("{kind}_zip.pt")), fixture(&format!("{kind}_legacy.pth"))]
}

fn refusals(kind: &str) -> [String; 2] {
    both(kind).map(|bytes| Weights::from_bytes(bytes).err().expect("refused").to_string())
}

fn assert_holds_a_and_b(bytes: Vec<u8>, what: &str) {
    let weights = Weights::from_bytes(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let names: Vec<_> = weights.names().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
    assert_eq!(names, [("a".to_owned(), vec![2, 3]), ("b".to_owned(), vec![3, 2])], "{what}");
    assert_eq!(weights.values("a").expect("a"), A, "{what}");
    assert_eq!(weights.values("b").expect("b"), B, "{what}");
}

#[test]
fn both_formats_are_read_in_every_number_format_and_wrapping() {
    let kinds =
        ["f32", "f16", "bf16", "f64", "plain_dict", "transposed", "slices_of_one_storage", "parameters", "wrapped"];
    for kind in kinds {
        for bytes in both(kind) {
            assert_holds_a_and_b(bytes, kind);
        }
    }
}

#[test]
fn what_is_written_is_read_back_as_it_was() {
    let written =
        Weights::from_bytes(fixture("f32_zip.pt")).and_then(|weights| weights.to_safetensors()).expect("written");
    assert_holds_a_and_b(written, "safetensors");
}

#[test]
fn a_global_that_could_run_code_is_refused_by_name() {
    for error in both("hostile").map(|bytes| Weights::from_bytes(bytes).err()) {
        assert!(matches!(&error, Some(WeightsError::Forbidden(name)) if name == "posix.system"), "{error:?}");
    }
}

#[test]
fn a_tensor_that_cannot_be_weights_is_refused_by_name() {
    for (kind, reason) in [("expanded", "does not fit"), ("nested", "not a tensor")] {
        for error in refusals(kind) {
            assert!(error.contains("`b`") && error.contains(reason), "{kind}: {error}");
        }
    }
    for error in refusals("list") {
        assert!(error.contains("not a dict"), "{error}");
    }
}

#[test]
fn integers_and_nan_are_refused_by_name_when_they_are_used() {
    for (kind, reason) in [("integers", "int64"), ("not_a_number", "not finite")] {
        for bytes in both(kind) {
            let weights = Weights::from_bytes(bytes).expect("readable");
            assert_eq!(weights.values("a").expect("a is sound"), A);
            let error = weights.values("b").expect_err("refused").to_string();
            assert!(error.contains("`b`") && error.contains(reason), "{kind}: {error}");
        }
    }
}

#[test]
fn what_is_no_state_dict_says_so() {
    for bytes in [&b""[..], b"hello", b"\x80\x02}q\x00.", b"PK", &[0; 100]] {
        let error = Weights::from_bytes(bytes.to_vec()).err().expect("refused");
        assert!(matches!(error, WeightsError::UnknownFormat), "{error}");
    }
}

/// Storages come last in the legacy format and the directory in a zip: every cut is noticed.
#[test]
fn every_truncation_is_refused() {
    let safetensors =
        Weights::from_bytes(fixture("f32_zip.pt")).and_then(|weights| weights.to_safetensors()).expect("written");
    for whole in [fixture("f32_zip.pt"), fixture("f32_legacy.pth"), safetensors] {
        for length in 0..whole.len() {
            assert!(Weights::from_bytes(whole[..length].to_vec()).is_err(), "cut to {length} of {}", whole.len());
        }
    }
}

#[test]
fn a_changed_byte_in_a_zip_entry_is_noticed() {
    let mut bytes = fixture("f32_zip.pt");
    let storage = bytes.windows(4).position(|window| window == (-1f32).to_le_bytes()).expect("the storage");
    bytes[storage + 2] ^= 1;
    assert!(Weights::from_bytes(bytes).is_err());
}

/// A pickle in the legacy format's third place, where the state dict is.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let whole = fixture("f32_legacy.pth");
    let end_of_system = whole.windows(3).position(|window| window == b"uu.").expect("the system's pickle") + 3;
    [&whole[..end_of_system], pickle].concat()
}

#[test]
fn hostile_pickles_are_refused_and_cost_little() {
    let nested: Vec<u8> = [b"\x80\x02)".to_vec(), vec![0x85; 1 << 20], b".".to_vec()].concat();
    let pushes: Vec<u8> = [b"\x80\x02".to_vec(), vec![b'N'; 1 << 20], b".".to_vec()].concat();
    let marks: Vec<u8> = [b"\x80\x02".to_vec(), vec![b'('; 1 << 20], b".".to_vec()].concat();
    let endless: Vec<u8> = [b"\x80\x02}".to_vec(), b"NN\x80\x02ss".repeat(1 << 20)].concat();
    let long_text = b"\x80\x02X\xff\xff\xff\xff".to_vec();
    let long_name = [b"\x80\x02c".to_vec(), vec![b'x'; 1 << 20], b"\nsystem\n".to_vec()].concat();
    let below_mark = b"\x80\x02}(s.".to_vec();
    let own_item = b"\x80\x02}q\x00h\x00h\x00s.".to_vec();
    for pickle in [nested, pushes, marks, endless, long_text, long_name, below_mark, own_item] {
        let error = Weights::from_bytes(legacy(&pickle)).err().expect("refused").to_string();
        assert!(error.len() < 1000, "{}", &error[..1000]);
    }
}

#[test]
fn a_safetensors_header_that_asks_for_more_than_the_file_is_refused() {
    for header in [
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
    ] {
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
        assert!(Weights::from_bytes(bytes).is_err(), "{header}");
    }
}

proptest! {
    /// No change of a file makes the reader panic, hang or hand out another number of values than the shape says.
    #[test]
    fn damaged_files_never_panic(
        legacy in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let [zip, old] = both("slices_of_one_storage");
        let mut bytes = if legacy { old } else { zip };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(weights) = Weights::from_bytes(bytes) {
            for (name, shape) in weights.names() {
                if let Ok(values) = weights.values(name) {
                    prop_assert_eq!(values.len(), shape.iter().product::<usize>());
                }
            }
        }
    }
}
