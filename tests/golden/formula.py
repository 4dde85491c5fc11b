"""Numbers by formula: the same as in Rust (tests/it/networks/formula.rs)."""

import math

import numpy
import torch


def chance(name, count):
    """`count` numbers in [-1, 1) that depend on the name and the index alone."""
    mask = numpy.uint64(0xFFFFFFFF)
    seed = 0x811C9DC5  # FNV-1a
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    x = numpy.arange(count, dtype=numpy.uint64) * numpy.uint64(0x9E3779B1) + numpy.uint64(seed) & mask
    x = (x ^ x >> numpy.uint64(16)) * numpy.uint64(0x7FEB352D) & mask
    x = (x ^ x >> numpy.uint64(15)) * numpy.uint64(0x846CA68B) & mask
    x = x ^ x >> numpy.uint64(16)
    return x.astype(numpy.float64) / 2**31 - 1


def filled(name, shape):
    x = chance(name, math.prod(shape))
    if len(shape) == 4:
        x = x * math.sqrt(4 / math.prod(shape[1:]))
    elif len(shape) == 2:
        x = x * 0.1
    elif name.endswith("running_var"):
        x = 1 + 0.5 * x
    elif name.endswith("weight"):
        x = 0.75 + 0.35 * x  # numbers stay of one size through a hundred layers
    else:
        x = 0.1 * x
    return torch.from_numpy(x.astype(numpy.float32)).view(shape)
