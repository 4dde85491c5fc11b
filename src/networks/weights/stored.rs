//! Where a tensor's elements lie in the file's bytes.

use super::dtype::Dtype;
use std::ops::Range;

/// A tensor has at most as many dimensions as a convolution's weight, with room to spare.
pub const MAX_DIMENSIONS: usize = 8;

/// A tensor in the file: checked to lie wholly inside its storage, not yet converted.
#[derive(Debug)]
pub struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    strides: Vec<usize>,
    /// The storage's bytes in the file, from the tensor's first element on.
    bytes: Range<usize>,
}

impl Stored {
    /// A row-major tensor that fills its storage.
    pub fn contiguous(dtype: Dtype, shape: Vec<usize>, storage: Range<usize>) -> Result<Self, String> {
        let strides = row_major(&shape).ok_or("has a shape of more elements than can be counted")?;
        Self::new(dtype, shape, strides, 0, storage)
    }

    /// A tensor of any strides; `offset` and strides count elements of the storage.
    pub fn new(
        dtype: Dtype,
        shape: Vec<usize>,
        strides: Vec<usize>,
        offset: usize,
        storage: Range<usize>,
    ) -> Result<Self, String> {
        if shape.len() != strides.len() || shape.len() > MAX_DIMENSIONS {
            return Err(format!("has {} dimensions and {} strides", shape.len(), strides.len()));
        }
        let held = storage.len() / dtype.size();
        let outside = || format!("of shape {shape:?} does not fit in its storage of {held} elements");
        let count = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).ok_or_else(outside)?;
        if count == 0 {
            return Err("is empty".to_owned());
        }
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(offset, |at, (&size, &stride)| at.checked_add((size - 1).checked_mul(stride)?))
            .ok_or_else(outside)?;
        // count > held: expanded views, where one element stands for many
        if last >= held || count > held {
            return Err(outside());
        }
        Ok(Self { dtype, shape, strides, bytes: storage.start + offset * dtype.size()..storage.end })
    }

    /// The elements' format.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The tensor's shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn values(&self, file: &[u8]) -> Vec<f32> {
        let bytes = &file[self.bytes.clone()];
        if row_major(&self.shape).as_ref() == Some(&self.strides) {
            return self.dtype.decode(bytes, 0..self.shape.iter().product());
        }
        self.dtype.decode(bytes, Strided::new(&self.shape, &self.strides))
    }
}

fn row_major(shape: &[usize]) -> Option<Vec<usize>> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].checked_mul(shape[axis])?;
    }
    Some(strides)
}

/// The element indices of a strided tensor, the last axis running fastest.
struct Strided<'a> {
    shape: &'a [usize],
    strides: &'a [usize],
    position: Vec<usize>,
    next: Option<usize>,
}

impl<'a> Strided<'a> {
    fn new(shape: &'a [usize], strides: &'a [usize]) -> Self {
        Self { shape, strides, position: vec![0; shape.len()], next: Some(0) }
    }
}

impl Iterator for Strided<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let current = self.next?;
        let mut index = current;
        self.next = None;
        for axis in (0..self.shape.len()).rev() {
            if self.position[axis] + 1 < self.shape[axis] {
                self.position[axis] += 1;
                self.next = Some(index + self.strides[axis]);
                break;
            }
            index -= self.position[axis] * self.strides[axis];
            self.position[axis] = 0;
        }
        Some(current)
    }
}
