//! Weights and inputs by formula: the same numbers as tests/golden/networks.py.

use kellgrend::networks::weights::Weights;
use safetensors::{Dtype, tensor::TensorView};
use std::collections::BTreeMap;

/// Named tensors in float32, to be changed by a test before they become a file.
pub type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// `count` numbers in [-1, 1) that depend on the name and the index alone.
pub fn chance(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let seed = name.bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (0..count as u32).map(move |index| {
        let x = index.wrapping_mul(0x9e37_79b1).wrapping_add(seed);
        let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
        let x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
        f64::from(x ^ x >> 16) / f64::from(1u32 << 31) - 1.0
    })
}

/// A network's tensors, of the shapes that the golden file lists.
pub fn weights(shapes: &BTreeMap<String, Vec<usize>>) -> Named {
    let fill = |(name, shape): (&String, &Vec<usize>)| {
        let fan_in: usize = shape[1..].iter().product();
        let (low, scale) = match shape.len() {
            4 => (0.0, (4.0 / fan_in as f64).sqrt()),
            2 => (0.0, 0.1),
            _ if name.ends_with("running_var") => (1.0, 0.5),
            _ if name.ends_with("weight") => (0.75, 0.35),
            _ => (0.0, 0.1),
        };
        let values = chance(name, shape.iter().product()).map(|x| (low + x * scale) as f32).collect();
        (name.clone(), (shape.clone(), values))
    };
    shapes.iter().map(fill).collect()
}

/// A view `[1, 3, size, size]`, row-major.
pub fn input(size: usize) -> Vec<f32> {
    chance(&format!("input{size}"), 3 * size * size).map(|x| (2.0 * x) as f32).collect()
}

/// The tensors as the bytes of a safetensors file.
pub fn file(named: &Named) -> Vec<u8> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let encoded: Vec<_> = named.iter().map(|(name, (shape, values))| (name, shape, bytes(values))).collect();
    let views = encoded.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("the shape fits"))
    });
    safetensors::serialize(views, None).expect("the tensors are whole")
}

/// The tensors as weights.
pub fn read(named: &Named) -> Weights {
    Weights::from_bytes(file(named)).expect("a sound file")
}
