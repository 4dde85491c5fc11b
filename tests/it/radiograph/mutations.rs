//! Bytes changed at random: any answer will do, a panic or a crash will not.

use super::samples;
use crate::mutations::cases;
use kellgrend::radiograph::{Limits, completeness, decode};
use proptest::prelude::*;
use std::sync::LazyLock;

static SAMPLES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(samples::all);

proptest! {
    #![proptest_config(cases(3000))]
    #[test]
    fn a_changed_file_is_decoded_or_refused(
        which in 0..11usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = SAMPLES[which].1.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        let _ = completeness(&bytes, &limits);
        let first = decode(&bytes, &limits);
        prop_assert_eq!(first.is_ok(), decode(&bytes, &limits).is_ok());
    }
}
