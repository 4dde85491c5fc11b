"""Writes networks.json: what torchvision answers for weights and inputs that are computed by formula.

The tests compute the same numbers in Rust (tests/it/networks/formula.rs). `formula` has everything by formula, `starter`
the bundled release's weights and the formula's input. Needs torch and torchvision; run it in this folder.
"""

import json
import math

import numpy
import torch
import torchvision

SIZES = {"shufflenet_v2_x2_0": [512, 224, 201]}


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
    elif name.endswith("running_var") or name.endswith("weight"):
        x = 1 + 0.5 * x
    else:
        x = 0.1 * x
    return torch.from_numpy(x.astype(numpy.float32)).view(shape)


def read_safetensors(path):
    """The format is a JSON header after its length, then the bytes; ours are all float16."""
    data = open(path, "rb").read()
    header = int.from_bytes(data[:8], "little")
    infos = json.loads(data[8 : 8 + header])
    body = data[8 + header :]
    return {
        name: torch.from_numpy(numpy.frombuffer(body[slice(*info["data_offsets"])], "<f2").astype("f4")).view(info["shape"])
        for name, info in infos.items()
    }


def logits(network, size):
    image = torch.from_numpy((2 * chance(f"input{size}", 3 * size * size)).astype(numpy.float32)).view(1, 3, size, size)
    with torch.inference_mode():
        return [round(x, 6) for x in network(image)[0].tolist()]


answers = {}
for name, sizes in SIZES.items():
    network = torchvision.models.get_model(name, num_classes=5).eval()
    counters = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
    shapes = {k: v.shape for k, v in network.state_dict().items() if k not in counters}
    network.load_state_dict({k: filled(k, shape) for k, shape in shapes.items()} | counters)
    answers[name] = {"shapes": {k: list(s) for k, s in shapes.items()}, "formula": {s: logits(network, s) for s in sizes}}
    if name == "shufflenet_v2_x2_0":
        network.load_state_dict(read_safetensors("../../models/starter/shufflenet_v2_x2_0.safetensors") | counters)
        answers[name]["starter"] = {s: logits(network, s) for s in sizes}
with open("networks.json", "w") as file:
    json.dump(answers, file, separators=(",", ":"))
    file.write("\n")
