//! The opcodes: a stack, marks and a memo, each bounded.

use super::{
    super::WeightsError,
    value::{Global, Tuple, Unpickled, Value},
};
use std::collections::HashMap;

/// A state dict of a thousand tensors has a pickle of 300 kB and 7,000 memo entries.
const MAX_BYTES: usize = 4 << 20;
const MAX_STACK: usize = 1 << 16;
const MAX_MEMO: usize = 1 << 17;

pub struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) out: Unpickled,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let (lists, dicts, storages) = (Vec::new(), Vec::new(), HashMap::new());
        Self {
            bytes: &bytes[..bytes.len().min(MAX_BYTES)],
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            out: Unpickled { value: Value::None, length: 0, lists, dicts, storages },
        }
    }

    pub fn run(mut self) -> Result<Unpickled, WeightsError> {
        loop {
            let opcode = self.byte()?;
            if opcode == b'.' {
                self.out.value = self.pop()?;
                self.out.length = self.at;
                return Ok(self.out);
            }
            if let Some(value) = self.step(opcode)? {
                self.stack.push(value);
            }
            if self.stack.len() + self.marks.len() > MAX_STACK || self.memo.len() > MAX_MEMO {
                return Err(damaged("asks for more than a state_dict needs"));
            }
        }
    }

    /// Runs one opcode; its value, where it has one, goes on the stack.
    fn step(&mut self, opcode: u8) -> Result<Option<Value>, WeightsError> {
        Ok(Some(match opcode {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            // BININT, BININT1, BININT2, LONG1
            b'J' => Value::Int(i32::from_le_bytes(self.take()?).into()),
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.take()?).into()),
            0x8a => self.long()?,
            // BINFLOAT
            b'G' => {
                self.take::<8>()?;
                Value::Float
            }
            // BINUNICODE, BINSTRING, SHORT_BINSTRING (the latter two from Python 2)
            b'X' | b'T' => {
                let length = u32::from_le_bytes(self.take()?);
                self.text(length as usize)?
            }
            b'U' => {
                let length = self.byte()?;
                self.text(usize::from(length))?
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(Global::named(module, name)?)
            }
            // BINGET, LONG_BINGET
            b'h' => {
                let key = self.byte()?;
                self.recall(key.into())?
            }
            b'j' => {
                let key = u32::from_le_bytes(self.take()?);
                self.recall(key)?
            }
            b')' => Tuple::of(Vec::new())?,
            // TUPLE1, TUPLE2, TUPLE3
            0x85..=0x87 => {
                let mut items = (0x84..opcode).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                Tuple::of(items)?
            }
            b't' => Tuple::of(self.since_mark()?)?,
            b']' => self.new_list(),
            b'}' => self.new_dict(Vec::new()),
            b'Q' => {
                let id = self.pop()?;
                self.persistent(&id)?
            }
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(&callable, &arguments)?
            }
            _ => return self.act(opcode).map(|()| None),
        }))
    }

    /// The opcodes that push nothing.
    fn act(&mut self, opcode: u8) -> Result<(), WeightsError> {
        match opcode {
            0x80 => match self.byte()? {
                2 => Ok(()),
                other => Err(damaged(&format!("is of protocol {other}; torch.save's default is 2"))),
            },
            // BINPUT, LONG_BINPUT
            b'q' => {
                let key = self.byte()?;
                self.remember(key.into())
            }
            b'r' => {
                let key = u32::from_le_bytes(self.take()?);
                self.remember(key)
            }
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item])
            }
            b'e' => {
                let items = self.since_mark()?;
                self.extend_list(items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(vec![key, value])
            }
            b'u' => {
                let items = self.since_mark()?;
                self.extend_dict(items)
            }
            // BUILD: attributes, which on an OrderedDict are only torch's `_metadata`
            b'b' => match (self.pop()?, self.stack.last()) {
                (_, Some(Value::Dict(_))) => Ok(()),
                _ => Err(damaged("sets attributes on something else than a dict")),
            },
            other => Err(damaged(&format!("uses opcode 0x{other:02x}, which no state_dict needs"))),
        }
    }

    fn byte(&mut self) -> Result<u8, WeightsError> {
        Ok(self.take::<1>()?[0])
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], WeightsError> {
        let mut taken = [0; N];
        taken.copy_from_slice(self.slice(N)?);
        Ok(taken)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], WeightsError> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| damaged("breaks off or is too long"))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn line(&mut self) -> Result<&'a str, WeightsError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged("breaks off in a name"))?;
        let line = self.slice(length)?;
        self.at += 1;
        std::str::from_utf8(line).map_err(|_| damaged("holds a name that is not UTF-8"))
    }

    fn text(&mut self, length: usize) -> Result<Value, WeightsError> {
        let text = std::str::from_utf8(self.slice(length)?).map_err(|_| damaged("holds a text that is not UTF-8"))?;
        Ok(Value::Text(text.into()))
    }

    fn long(&mut self) -> Result<Value, WeightsError> {
        let length = usize::from(self.byte()?);
        let digits = self.slice(length)?;
        if length > 8 {
            return Err(damaged("holds a number of more than 64 bits"));
        }
        let negative = digits.last().is_some_and(|&top| top >= 0x80);
        let mut bytes = [if negative { 0xff } else { 0 }; 8];
        bytes[..length].copy_from_slice(digits);
        Ok(Value::Int(i64::from_le_bytes(bytes)))
    }

    fn remember(&mut self, key: u32) -> Result<(), WeightsError> {
        let top = self.stack.last().ok_or_else(|| damaged("remembers nothing"))?.clone();
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<Value, WeightsError> {
        self.memo.get(&key).cloned().ok_or_else(|| damaged("recalls what it never remembered"))
    }

    fn pop(&mut self) -> Result<Value, WeightsError> {
        if self.marks.last() == Some(&self.stack.len()) {
            return Err(damaged("takes more than it put"));
        }
        self.stack.pop().ok_or_else(|| damaged("takes more than it put"))
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, WeightsError> {
        let mark = self.marks.pop().ok_or_else(|| damaged("lacks a mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn new_list(&mut self) -> Value {
        self.out.lists.push(Vec::new());
        Value::List(self.out.lists.len() - 1)
    }

    pub(super) fn new_dict(&mut self, entries: Vec<(Value, Value)>) -> Value {
        self.out.dicts.push(entries);
        Value::Dict(self.out.dicts.len() - 1)
    }

    fn extend_list(&mut self, items: Vec<Value>) -> Result<(), WeightsError> {
        let Some(&Value::List(list)) = self.stack.last() else {
            return Err(damaged("appends to something else than a list"));
        };
        self.out.lists[list].extend(items);
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Value>) -> Result<(), WeightsError> {
        let Some(&Value::Dict(dict)) = self.stack.last() else {
            return Err(damaged("sets an item of something else than a dict"));
        };
        let mut items = items.into_iter();
        while let Some(key) = items.next() {
            let value = items.next().ok_or_else(|| damaged("has a key without a value"))?;
            self.out.dicts[dict].push((key, value));
        }
        Ok(())
    }
}

pub fn damaged(what: &str) -> WeightsError {
    WeightsError::Damaged(format!("its pickle {what}"))
}
