"""Makes small networks of images, with outputs computed by ONNX Runtime, in the folder `images`.

    python make_images.py

needs torch, onnx, onnxscript and onnxruntime. Weights and running statistics are random, so that no part can be left
out unnoticed. NAME.onnx, NAME_input.npy and NAME_output.npy for

- `flat`: a U-Net of two levels over [N, 2, H, W], any H and W that are even;
- `solid`: two convolutions and a pool over [N, 1, D, H, W];
- `wide`: rays [4, 3, 1, 20], all sizes fixed, that of the batch too.
"""

from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from torch import nn

HERE = Path(__file__).parent / "images"


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.LeakyReLU(0.1))
        self.down = nn.MaxPool2d(2)
        self.deep = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.ReLU())
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.last = nn.Conv2d(12, 4, 1)

    def forward(self, x):
        fine = self.first(x)
        coarse = self.up(self.deep(self.down(fine)))
        return torch.softmax(self.last(torch.cat([fine, coarse], dim=1)), dim=1)


class Solid(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 3, 3, padding=1)
        )

    def forward(self, x):
        return torch.softmax(self.body(x), dim=1)


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, (1, 5), padding=(0, 2)), nn.Tanh(), nn.Conv2d(8, 8, 1))

    def forward(self, x):
        return torch.softmax(self.body(x), dim=1)


def make(name, network, shape, free):
    network.eval()
    generator = torch.Generator().manual_seed(4)
    for key, tensor in network.state_dict().items():
        if key.endswith("running_var"):
            tensor.uniform_(0.5, 2.0, generator=generator)
        elif tensor.is_floating_point():
            tensor.uniform_(-0.6, 0.6, generator=generator)
    values = torch.empty(shape).uniform_(-2, 2, generator=generator)
    path = HERE / f"{name}.onnx"
    torch.onnx.export(
        network, (values,), path, dynamo=False, opset_version=17, input_names=["image"], output_names=["classes"],
        dynamic_axes={"image": free, "classes": free} if free else None,
    )
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    output = session.run(None, {"image": values.numpy()})[0]
    numpy.save(HERE / f"{name}_input.npy", values.numpy())
    numpy.save(HERE / f"{name}_output.npy", output)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    make("flat", Flat(), (3, 2, 8, 12), {0: "batch", 2: "height", 3: "width"})
    make("solid", Solid(), (2, 1, 6, 6, 6), {0: "batch", 2: "depth", 3: "height", 4: "width"})
    make("wide", Wide(), (4, 3, 1, 20), None)
