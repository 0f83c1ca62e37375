"""The network that finds sections as ONNX: normalisations folded, the stem one strided convolution, no outputs of training."""

import copy
from pathlib import Path

import onnx
import torch
from torch import nn

from ..export import OPSET
from ..image_export import strided
from .targets import EXPORTED

#: Intensity and fluorescence.
CHANNELS = 2


def prepared(model: nn.Module, exported: int = EXPORTED) -> nn.Module:
    """The same function of the first `exported` outputs, with nothing left that only training needs."""
    model = copy.deepcopy(model).eval()
    for part in [*model.encoders, *model.decoders]:
        for place in (0, 3):
            part[place] = nn.utils.fuse_conv_bn_eval(part[place], part[place + 1])
            part[place + 1] = nn.Identity()
    model.encoders[0][0] = strided(model.encoders[0][0], model.unshuffle.downscale_factor)
    model.unshuffle = nn.Identity()
    head = nn.Conv2d(model.head.in_channels, exported, 1)
    head.weight.data, head.bias.data = model.head.weight.data[:exported], model.head.bias.data[:exported]
    model.head = head
    return model.eval()


def write_onnx(model: nn.Module, stride: int, path: Path) -> None:
    """`image` `[batch, 2, height, width]` to `sections` `[batch, 12, height / 4, width / 4]`, sizes free."""
    free = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        prepared(model),
        (torch.zeros(1, CHANNELS, 2 * stride, 2 * stride),),
        str(path),
        input_names=["image"],
        output_names=["sections"],
        dynamic_axes={"image": free, "sections": {0: "batch", 2: "rows", 3: "columns"}},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)
