//! What calling one of the allowed names builds.

use super::{
    super::{WeightsError, stored::MAX_DIMENSIONS},
    machine::{Machine, damaged},
    value::{Global, StorageRef, TensorRef, Value},
};
use std::rc::Rc;

impl Machine<'_> {
    pub(super) fn call(&mut self, callable: &Value, arguments: &Value) -> Result<Value, WeightsError> {
        let (Value::Global(global), Value::Tuple(arguments)) = (callable, arguments) else {
            return Err(damaged("calls something that cannot be called"));
        };
        match (global, arguments.items.as_slice()) {
            (Global::OrderedDict, []) => Ok(self.new_dict(Vec::new())),
            // Python 2 passes the entries as a list of [key, value]
            (Global::OrderedDict, [Value::List(list)]) => {
                // moved, not copied: a pickle may pass the same list a million times
                let entries = std::mem::take(&mut self.out.lists[*list]);
                let entries = entries.iter().map(|entry| self.pair(entry)).collect::<Result<_, _>>()?;
                Ok(self.new_dict(entries))
            }
            (Global::RebuildTensor, [Value::Storage(storage), Value::Int(offset), shape, strides, ..]) => {
                Ok(Value::Tensor(Rc::new(TensorRef {
                    storage: storage.clone(),
                    offset: count(*offset)?,
                    shape: counts(shape)?,
                    strides: counts(strides)?,
                })))
            }
            (Global::RebuildParameter, [Value::Tensor(tensor), ..]) => Ok(Value::Tensor(tensor.clone())),
            _ => Err(damaged("calls a known name with unknown arguments")),
        }
    }

    fn pair(&self, entry: &Value) -> Result<(Value, Value), WeightsError> {
        let items = match entry {
            Value::List(list) => self.out.lists[*list].as_slice(),
            Value::Tuple(tuple) => tuple.items.as_slice(),
            _ => &[],
        };
        match items {
            [key, value] => Ok((key.clone(), value.clone())),
            _ => Err(damaged("has a dict entry that is not a pair")),
        }
    }

    /// A persistent id: `("storage", type, key, location, count)`, in the legacy format with a view that is None.
    pub(super) fn persistent(&mut self, id: &Value) -> Result<Value, WeightsError> {
        let Value::Tuple(id) = id else { return Err(damaged("names a storage in an unknown way")) };
        let [
            Value::Text(word),
            Value::Global(Global::Storage(dtype)),
            Value::Text(key),
            _,
            Value::Int(size),
            view @ ..,
        ] = id.items.as_slice()
        else {
            return Err(damaged("names a storage in an unknown way"));
        };
        if &**word != "storage" || !matches!(view, [] | [Value::None]) {
            return Err(damaged("names a storage that is a view of another; save the tensors' clones"));
        }
        if *self.out.storages.entry(key.clone()).or_insert(*dtype) != *dtype {
            return Err(damaged("gives one storage two element types"));
        }
        Ok(Value::Storage(Rc::new(StorageRef { key: key.clone(), dtype: *dtype, count: count(*size)? })))
    }
}

fn count(value: i64) -> Result<usize, WeightsError> {
    usize::try_from(value).map_err(|_| damaged("holds a negative size, offset or stride"))
}

fn counts(value: &Value) -> Result<Vec<usize>, WeightsError> {
    let Value::Tuple(tuple) = value else { return Err(damaged("describes a shape by something else than a tuple")) };
    if tuple.items.len() > MAX_DIMENSIONS {
        return Err(damaged("describes a tensor of too many dimensions"));
    }
    let size = |item: &Value| match item {
        Value::Int(size) => count(*size),
        _ => Err(damaged("holds a size that is not a number")),
    };
    tuple.items.iter().map(size).collect()
}
