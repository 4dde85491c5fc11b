//! What a decoder answers that a film has taken over.
#![no_main]

use kellgrend::decoding::answer;
use kellgrend::radiograph::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
    if let Ok(Ok(decoded)) = answer::read(&mut &*bytes, 1, &limits) {
        let pixels: usize = decoded.crops.iter().map(|crop| crop.as_raw().len()).sum();
        assert!(decoded.sides.len() == decoded.crops.len() && pixels <= bytes.len());
    }
});
