"""Writes training.json: the losses of two steps as PyTorch takes them, and what the network says afterwards.

Weights and pictures are computed by formula (formula.py). Eight pictures of
64 pixels are learnt from, all in one batch; four others are judged, in both views. Dropout and stochastic depth are off.
One network learns once more with the distance in its loss, and once by sharpness-aware steps.
Needs torch and torchvision; run it in this folder.
"""

import json

import numpy
import torch
import torchvision

from formula import chance, filled

SIDE = 64
RATE, DECAY, SMOOTHING, STEPS = 1e-5, 0.05, 0.1, 2
ORDINAL, SHARPNESS = 2.0, 0.05
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
NETWORKS = [
    "densenet161",
    "efficientnet_b5",
    "efficientnet_v2_s",
    "regnet_y_8gf",
    "resnet101",
    "resnext50_32x4d",
    "shufflenet_v2_x2_0",
    "wide_resnet50_2",
]


def pictures(numbers):
    grey = [numpy.floor((chance(f"knee {n}", SIDE * SIDE) + 1) * 128).reshape(1, SIDE, SIDE) for n in numbers]
    views = torch.tensor(numpy.stack(grey), dtype=torch.float32) / 255
    return (views - MEAN) / DEVIATION


def network(name):
    network = torchvision.models.get_model(name, weights=None, num_classes=5)
    for module in network.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    state = network.state_dict()
    network.load_state_dict(
        {key: filled(key, tuple(value.shape)) if value.dim() else value for key, value in state.items()}
    )
    return network


def distance(logits, truths):
    """The squared earth mover's distance on the line of grades."""
    said, true = logits.softmax(1), torch.nn.functional.one_hot(truths, 5)
    return sum((said[:, : k + 1].sum(1) - true[:, : k + 1].sum(1)) ** 2 for k in range(5)).mean()


def trained(name, optimiser, ordinal=0.0, sharpness=0.0):
    net = network(name).train()
    step = optimiser(net.parameters(), lr=RATE, weight_decay=DECAY)
    entropy = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    learn, truths = pictures(range(8)), torch.tensor([n % 5 for n in range(8)])

    def loss():
        step.zero_grad()
        logits = net(learn)
        value = entropy(logits, truths) + ordinal * distance(logits, truths)
        value.backward()
        return value

    losses = []
    for _ in range(STEPS):
        value = loss()
        if sharpness:
            # sharpness-aware minimisation: the gradient from further up; statistics stay those of the first pass
            parameters, state = list(net.parameters()), {k: v.clone() for k, v in net.state_dict().items()}
            length = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
            with torch.no_grad():
                for p in parameters:
                    p += sharpness * p.grad / length
            loss()
            net.load_state_dict(state)
        step.step()
        losses.append(value.item())
    net.eval()
    with torch.no_grad():
        judge = pictures(range(8, 12))
        logits = (net(judge) + net(judge.flip(3))) / 2
    return {"losses": losses, "logits": logits.tolist()}


if __name__ == "__main__":
    torch.manual_seed(0)
    answers = {f"{name} adamw": trained(name, torch.optim.AdamW) for name in NETWORKS}
    answers["shufflenet_v2_x2_0 adam"] = trained("shufflenet_v2_x2_0", torch.optim.Adam)
    answers["shufflenet_v2_x2_0 adamw ordinal"] = trained("shufflenet_v2_x2_0", torch.optim.AdamW, ordinal=ORDINAL)
    answers["shufflenet_v2_x2_0 adamw sharpness"] = trained("shufflenet_v2_x2_0", torch.optim.AdamW, sharpness=SHARPNESS)
    with open("training.json", "w") as file:
        json.dump(answers, file, indent=1)
        file.write("\n")
