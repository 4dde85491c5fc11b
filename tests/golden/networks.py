"""Writes networks.json: what torchvision and pytorch-grad-cam answer for weights and inputs computed by formula.

The tests compute the same numbers in Rust (tests/it/networks/formula.rs). `formula` has everything by formula, `starter`
the bundled release's weights and the formula's input; `cam` is every 16th pixel of the Grad-CAM picture of `grade` at the
smaller size. Needs torch, torchvision and grad-cam; run it in this folder.
"""

import json

import numpy
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from formula import chance, filled

# The image size that each is used at, and others.
SIZES = {
    "densenet161": [456, 224],
    "efficientnet_b5": [456, 224],
    "efficientnet_v2_s": [384, 224],
    "regnet_y_8gf": [448, 224],
    "resnet101": [456, 224],
    "resnext50_32x4d": [512, 224],
    "shufflenet_v2_x2_0": [512, 224, 201],
    "wide_resnet50_2": [456, 224],
}
LAYERS = {
    "densenet161": lambda network: network.features[-1],
    "efficientnet_b5": lambda network: network.features[-1],
    "efficientnet_v2_s": lambda network: network.features[-1],
    "regnet_y_8gf": lambda network: network.trunk_output[-1],
    "resnet101": lambda network: network.layer4[-1],
    "resnext50_32x4d": lambda network: network.layer4[-1],
    "shufflenet_v2_x2_0": lambda network: network.conv5,
    "wide_resnet50_2": lambda network: network.layer4[-1],
}
# torchvision's last ReLU works in place, and on a CPU on the very map that the hook has kept; on a GPU the hook's is a
# copy. Out of place, both keep the map before the ReLU.
relu = torch.nn.functional.relu
torchvision.models.densenet.F.relu = lambda x, inplace=False: relu(x)


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


def view(size):
    return torch.from_numpy((2 * chance(f"input{size}", 3 * size * size)).astype(numpy.float32)).view(1, 3, size, size)


def logits(network, size):
    with torch.inference_mode():
        return [round(x, 6) for x in network(view(size))[0].tolist()]


def cam(network, layer, size):
    """Of the most probable grade whose picture is not all black: a ReLU leaves nothing where all spoke against it."""
    scores = logits(network, size)
    for grade in sorted(range(5), key=lambda grade: -scores[grade]):
        with GradCAM(model=network, target_layers=[layer]) as method:
            picture = method(input_tensor=view(size), targets=[ClassifierOutputTarget(grade)])[0]
        if picture.max() > 0:
            break
    return {"size": size, "grade": grade, "every_16th": [round(float(v), 6) for v in picture[8::16, 8::16].flatten()]}


answers = {}
for name, sizes in SIZES.items():
    network = torchvision.models.get_model(name, num_classes=5).eval()
    counters = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
    shapes = {k: v.shape for k, v in network.state_dict().items() if k not in counters}
    network.load_state_dict({k: filled(k, shape) for k, shape in shapes.items()} | counters)
    answers[name] = {"shapes": {k: list(s) for k, s in shapes.items()}, "formula": {s: logits(network, s) for s in sizes}}
    answers[name]["cam"] = cam(network, LAYERS[name](network), 224)
    print(name, answers[name]["formula"], "grade", answers[name]["cam"]["grade"], max(answers[name]["cam"]["every_16th"]))
    if name == "shufflenet_v2_x2_0":
        network.load_state_dict(read_safetensors("../../models/starter/shufflenet_v2_x2_0.safetensors") | counters)
        answers[name]["starter"] = {s: logits(network, s) for s in sizes}
with open("networks.json", "w") as file:
    json.dump(answers, file, separators=(",", ":"))
    file.write("\n")
