"""torchvision's eight networks, timed as `kellgrend bench` times its own: forward passes on views that lie on the device.

    python peer.py                              # on a GPU: fp32, bf16 and compile; on a CPU: fp32
    python peer.py --device cpu --networks shufflenet_v2_x2_0,resnet101 --seconds 1

Prints a JSON object a line: one for each network and mode, and one for the ensemble, 1 / (sum of 1 / views_per_second).
Needs torch and torchvision. The weights are untrained: speed does not depend on them.
"""

import argparse
import json
import time

import torch
import torchvision
from torch import nn

GRADES = 5

# The sides of the square views, as in the paper.
SIZES = {
    "densenet161": 456,
    "efficientnet_b5": 456,
    "efficientnet_v2_s": 384,
    "regnet_y_8gf": 448,
    "resnet101": 456,
    "resnext50_32x4d": 512,
    "shufflenet_v2_x2_0": 512,
    "wide_resnet50_2": 456,
}

# What PyTorch does when nobody tunes it, the usual advice for inference, and the most that one line buys.
MODES = {
    "fp32": "eager, float32, PyTorch's defaults",
    "bf16": "eager, bfloat16, channels last",
    "compile": "torch.compile, bfloat16, channels last",
}

# Steps that a GPU is given before it is waited for.
STEPS_AHEAD = 4


def network(name):
    """torchvision's network, its last layer replaced by one of five outputs."""
    model = torchvision.models.get_model(name, weights=None)
    parent, last = model, "fc" if hasattr(model, "fc") else "classifier"
    if isinstance(getattr(model, last), nn.Sequential):
        parent, last = model.classifier, str(len(model.classifier) - 1)
    setattr(parent, last, nn.Linear(getattr(parent, last).in_features, GRADES))
    return model.eval()


def prepare(model, mode, device):
    """The model, and the kind and memory format of its views."""
    if mode == "fp32":
        return model.to(device), torch.float32, torch.contiguous_format
    model = model.to(device, torch.bfloat16, memory_format=torch.channels_last)
    return torch.compile(model, dynamic=False) if mode == "compile" else model, torch.bfloat16, torch.channels_last


def steps_a_second(step, wait, warm_ups, seconds):
    for _ in range(warm_ups):
        step()
    wait()
    began, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - began < seconds:
        step()
        steps += 1
        if steps % STEPS_AHEAD == 0:
            wait()
    wait()
    return steps / (time.perf_counter() - began)


def measure(name, mode, device, batches, seconds):
    """Views a second, with the best of the batches."""
    is_gpu = device.type == "cuda"
    wait = (lambda: torch.cuda.synchronize(device)) if is_gpu else (lambda: None)
    model, kind, layout = prepare(network(name), mode, device)
    rates = {}
    with torch.inference_mode():
        for batch in batches:
            try:
                views = torch.randn(batch, 3, SIZES[name], SIZES[name], device=device)
                views = views.to(kind, memory_format=layout)
                rates[batch] = batch * steps_a_second(lambda: model(views), wait, 3 if is_gpu else 1, seconds)
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
    if not rates:
        raise SystemExit(f"{name}: no batch of {batches} fits into the device's memory; name smaller ones with --batch")
    best = max(rates, key=rates.get)
    del model, views
    if is_gpu:
        torch.cuda.empty_cache()
    return {"batch": best, "views_per_second": rates[best]}


def numbers(text):
    return [int(number) for number in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--modes", help=f"some of {', '.join(MODES)}")
    parser.add_argument("--networks", default=",".join(SIZES))
    parser.add_argument("--batch", type=numbers, help="default: 32,64,128 on a GPU, 2 on a CPU; the best counts")
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    device = torch.device(options.device)
    is_gpu = device.type == "cuda"
    batches = options.batch or ([32, 64, 128] if is_gpu else [2])
    modes = (options.modes or (",".join(MODES) if is_gpu else "fp32")).split(",")
    names = options.networks.split(",")
    for given, known in [(modes, MODES), (names, SIZES)]:
        if unknown := set(given) - set(known):
            parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
    about = {"torch": torch.__version__, "torchvision": torchvision.__version__, "device": options.device}
    for mode in modes:
        each = []
        for name in names:
            rate = measure(name, mode, device, batches, options.seconds)
            each.append(rate["views_per_second"])
            print(json.dumps({"mode": mode, "network": name, "image_size": SIZES[name], **rate, **about}), flush=True)
        whole = 1 / sum(1 / rate for rate in each)
        print(json.dumps({"mode": mode, "network": "ensemble", "views_per_second": whole, **about}), flush=True)


if __name__ == "__main__":
    main()
