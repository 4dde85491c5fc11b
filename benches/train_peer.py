"""How many views a second PyTorch learns from: torchvision's networks, autocast to bf16, channels last, fused AdamW.

    python benches/train_peer.py --networks resnet101,shufflenet_v2_x2_0 --batch 64

One step is what `kellgrend bench --training` measures: views that lie on the device are turned, shifted, scaled, brightened
and erased there, shown to the network, and one step of AdamW is taken; the running mean of the weights is a part of it. On a
CPU there is no autocast unless --bf16 is given. A JSON object a network.
"""

import argparse
import json
import math
import time

import torch
import torchvision

from peer import GRADES, SIZES

# Steps that do not count: kernels are chosen and loaded.
WARM_UPS = 3


def augmented(grey):
    """As kellgrend's strongest augmentation, for all pictures of a batch at once."""
    n, side = len(grey), grey.shape[-1]
    within = lambda limit: (2 * torch.rand(n, device=grey.device) - 1) * limit
    turn, size = within(math.radians(20)), 1 / (1 + within(0.12))
    flip = torch.where(torch.rand(n, device=grey.device) < 0.5, -1.0, 1.0)
    rows = [flip * size * turn.cos(), -size * turn.sin(), within(0.2), flip * size * turn.sin(), size * turn.cos(), within(0.2)]
    grid = torch.nn.functional.affine_grid(torch.stack(rows, 1).view(n, 2, 3), grey.shape, align_corners=False)
    grey = torch.nn.functional.grid_sample(grey, grid, align_corners=False)
    mean = grey.mean((1, 2, 3), keepdim=True)
    contrast, brightness = 1 + within(0.2).view(-1, 1, 1, 1), 38 * within(1).view(-1, 1, 1, 1)
    grey = (grey * contrast + mean * (1 - contrast) + brightness).clamp_(0, 255)
    along = (torch.arange(side, device=grey.device) + 0.5) / side
    top, left = torch.rand(n, 1, 1, 1, device=grey.device), torch.rand(n, 1, 1, 1, device=grey.device)
    inside = lambda line, first: (line >= first) & (line < first + 0.15)
    return grey.masked_fill(inside(along.view(1, 1, -1, 1), top) & inside(along.view(1, 1, 1, -1), left), 115.0)


def rate(name, batch, device, seconds, bf16):
    side = SIZES[name]
    network = torchvision.models.get_model(name, num_classes=GRADES).to(device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    films = torch.randint(0, 256, (batch, 1, side, side), dtype=torch.uint8, device=device)
    truths = torch.arange(batch, device=device) % GRADES
    mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)

    def step():
        with torch.no_grad():
            views = (augmented(films.float()) / 255 - mean) / deviation
            views = views.contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=bf16):
            value = loss(network(views), truths)
        value.backward()
        optimiser.step()
        average.update_parameters(network)

    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    if device.startswith("cuda"):
        torch.backends.cudnn.benchmark = True
    for _ in range(WARM_UPS if device.startswith("cuda") else 1):
        step()
    wait()
    began, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - began < seconds:
        step()
        steps += 1
        if steps % 4 == 0:
            wait()
    wait()
    return batch * steps / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default=",".join(SIZES))
    parser.add_argument("--batch", default="64", help="views a step, several with commas; the best counts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each measurement")
    parser.add_argument("--bf16", action="store_true", help="autocast on a CPU, too")
    options = parser.parse_args()
    bf16 = options.bf16 or options.device.startswith("cuda")
    for name in options.networks.split(","):
        rates = {}
        for batch in options.batch.split(","):
            try:
                rates[int(batch)] = rate(name, int(batch), options.device, options.seconds, bf16)
            except torch.cuda.OutOfMemoryError:
                torch.cuda.empty_cache()
        best = max(rates, key=rates.get)
        about = {"torch": torch.__version__, "device": options.device, "bf16": bf16}
        print(json.dumps({"network": name, "views_per_second": rates[best], "best_batch": best, **about}), flush=True)


if __name__ == "__main__":
    main()
