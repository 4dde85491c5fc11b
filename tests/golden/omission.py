"""Writes omission.json: what torchvision's EfficientNets say of eight pictures while they learn, with dropout and stochastic depth.

The generator is seeded with 7, so that whoever draws as torchvision does leaves out the same. Weights and pictures are computed by
formula (formula.py, training.py). Needs torch and torchvision; run it in this folder.
"""

import json

import torch
import torchvision

from formula import filled
from training import pictures

SEED = 7


def answers(name):
    network = torchvision.models.get_model(name, weights=None, num_classes=5)
    state = network.state_dict()
    network.load_state_dict(
        {key: filled(key, tuple(value.shape)) if value.dim() else value for key, value in state.items()}
    )
    network.train()
    torch.manual_seed(SEED)
    with torch.no_grad():
        return network(pictures(range(8))).flatten().tolist()


if __name__ == "__main__":
    with open("omission.json", "w") as file:
        json.dump({name: answers(name) for name in ("efficientnet_b5", "efficientnet_v2_s")}, file, indent=1)
        file.write("\n")
