//! A pickle machine that knows no more than a state dict needs, and executes nothing.
//!
//! It reads the opcodes of protocol 2, which torch.save writes. A global is a word from a short list, never looked up;
//! calling one builds a [`Value`] here. Source: Python's `pickletools` and `torch/_weights_only_unpickler.py`.

mod call;
mod machine;
mod value;

pub use value::{TensorRef, Unpickled, Value};

use super::WeightsError;

/// Reads one pickle from the front of `bytes`.
pub fn load(bytes: &[u8]) -> Result<Unpickled, WeightsError> {
    machine::Machine::new(bytes).run()
}
