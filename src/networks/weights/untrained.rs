//! Weights of a network that has learnt nothing yet: how fast it computes does not depend on them.

use tch::{Device, Kind, TchError, Tensor};

/// Begins the sequence that [`tensor`] draws from.
pub fn begin(seed: u64) {
    tch::manual_seed(seed.cast_signed());
}

/// The tensor `name` of a module as PyTorch begins one.
///
/// A convolution is Kaiming normal by its inputs, with the gain of a linear layer: with ReLU's, the residual sums of a
/// deep network would leave float16's range. A linear layer is uniform within 1 / sqrt(inputs). A batch norm changes
/// nothing, and every bias is 0.
pub fn tensor(name: &str, shape: &[i64], device: Device) -> Result<Tensor, TchError> {
    let mut tensor = Tensor::f_zeros(shape, (Kind::Float, device))?;
    let inputs = shape.iter().skip(1).product::<i64>() as f64;
    match (name, shape.len()) {
        ("running_var", _) | ("weight", 1) => tensor.f_fill_(1.0),
        ("weight", 2) => tensor.f_uniform_(-inputs.sqrt().recip(), inputs.sqrt().recip()),
        ("weight", _) => tensor.f_normal_(0.0, inputs.sqrt().recip()),
        _ => Ok(tensor),
    }
}
