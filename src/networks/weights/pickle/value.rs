//! What a pickle can hold.

use super::super::{WeightsError, dtype::Dtype, printable};
use std::{collections::HashMap, rc::Rc};

/// A tuple in a tuple in a tuple...: state dicts nest three deep, and dropping a deep tree recurses.
const MAX_DEPTH: usize = 16;

/// One unpickled value. Lists and dicts live apart, in [`Unpickled`], because they may change after they were shared.
#[derive(Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A float's value is of no use here.
    Float,
    Text(Rc<str>),
    Tuple(Rc<Tuple>),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(Rc<StorageRef>),
    Tensor(Rc<TensorRef>),
}

/// A tuple and how deep it nests.
pub struct Tuple {
    depth: usize,
    pub items: Vec<Value>,
}

impl Tuple {
    pub fn of(items: Vec<Value>) -> Result<Value, WeightsError> {
        let inner = items.iter().map(|item| if let Value::Tuple(tuple) = item { tuple.depth } else { 0 }).max();
        let depth = inner.unwrap_or(0) + 1;
        if depth > MAX_DEPTH {
            return Err(WeightsError::Damaged("its pickle nests tuples too deeply".to_owned()));
        }
        Ok(Value::Tuple(Rc::new(Self { depth, items })))
    }
}

/// The only names a pickle may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

impl Global {
    /// The whitelist.
    pub fn named(module: &str, name: &str) -> Result<Self, WeightsError> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch" | "torch.cuda", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch" | "torch.cuda", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch" | "torch.cuda", "BFloat16Storage") => Self::Storage(Dtype::BF16),
            ("torch" | "torch.cuda", "DoubleStorage") => Self::Storage(Dtype::F64),
            ("torch" | "torch.cuda", "LongStorage") => Self::Storage(Dtype::I64),
            _ => return Err(WeightsError::Forbidden(printable(&format!("{module}.{name}")))),
        })
    }
}

/// A storage as the pickle names it; its bytes are elsewhere in the file.
pub struct StorageRef {
    pub key: Rc<str>,
    pub dtype: Dtype,
    /// Elements.
    pub count: usize,
}

/// A tensor as the pickle describes it, not yet checked against its storage.
pub struct TensorRef {
    pub storage: Rc<StorageRef>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// A pickle's outcome.
pub struct Unpickled {
    pub value: Value,
    /// Bytes that the pickle took.
    pub length: usize,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: HashMap<Rc<str>, Dtype>,
}

impl Unpickled {
    /// A dict's entries in order.
    pub fn dict(&self, index: usize) -> &[(Value, Value)] {
        &self.dicts[index]
    }

    /// The entry `key` of the outermost dict.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        let Value::Dict(index) = self.value else { return None };
        self.dicts[index].iter().find(|(name, _)| matches!(name, Value::Text(name) if **name == *key)).map(|(_, v)| v)
    }

    /// The items of the outermost list; none where it is no list.
    pub fn items(&self) -> &[Value] {
        if let Value::List(index) = self.value { &self.lists[index] } else { &[] }
    }

    /// The element type of the storage with this key.
    pub fn storage_dtype(&self, key: &str) -> Option<Dtype> {
        self.storages.get(key).copied()
    }
}
