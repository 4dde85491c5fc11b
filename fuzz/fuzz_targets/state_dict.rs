//! Weights: a pickle in a zip archive, the legacy format, safetensors.
#![no_main]

use kellgrend::networks::weights::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(weights) = Weights::from_bytes(bytes.to_vec()) else { return };
    for (name, shape) in weights.names() {
        if let Ok(values) = weights.values(name) {
            assert_eq!(values.len(), shape.iter().product::<usize>());
        }
    }
});
