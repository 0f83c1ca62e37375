"""A small bundle in the layout of MONAI's model zoo: two convolutions with random weights, for a made tissue.

python make_bundle.py      (torch, onnx, onnxscript) writes made-bundle/ beside this file; the same bytes every time.
"""

import json
from pathlib import Path

import onnx
import torch

BUNDLE = Path(__file__).parent / "made-bundle"


def write(name, content):
    path = BUNDLE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def image(channels, names):
    return {
        "type": "image",
        "num_channels": channels,
        "spatial_shape": ["4*n", "4*n", "*"],
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": True,
        "channel_def": {str(number): name for number, name in enumerate(names)},
    }


def main():
    write(
        "configs/metadata.json",
        {
            "version": "0.2.1",
            "monai_version": "1.4.0",
            "name": "Made tissue segmentation",
            "description": "Random weights, for tests",
            "authors": "The brainmesh authors",
            "license": "Apache-2.0",
            "copyright": "none",
            "references": ["Nobody. Nothing. https://example.org/nothing.", "Without an address"],
            "network_data_format": {
                "inputs": {"image": image(1, ["image"])},
                "outputs": {"pred": image(3, ["background", "grey matter", "2nd tissue"])},
            },
        },
    )
    compose = lambda *transforms: {"_target_": "Compose", "transforms": list(transforms)}
    step = lambda name, key="@image_key", **arguments: {"_target_": name, "keys": key, **arguments}
    write(
        "configs/inference.json",
        {
            "imports": ["$import glob"],
            "image_key": "image",
            "settings": {"overlap": 0.25, "pixdim": [1.5, 1.5, 2.0]},
            "network_def": {"_target_": "UNet"},
            "preprocessing": compose(
                step("LoadImaged"),
                step("EnsureChannelFirstd"),
                step("Orientationd", axcodes="RAS"),
                step("Spacingd", pixdim="@settings#pixdim", mode="bilinear"),
                step("monai.transforms.ScaleIntensityRangeD", a_min=-57, a_max=164, b_min=-1, b_max=1, clip=True),
                step("ScaleIntensityRangePercentilesd", lower=1, upper=99, b_min=0, b_max=2, channel_wise=True),
                step("Rotate90d", _disabled_=True),
                step("EnsureTyped"),
            ),
            "inferer": {
                "_target_": "SlidingWindowInferer",
                "roi_size": [16, 16, 8],
                "sw_batch_size": 4,
                "overlap": "@settings::overlap",
                "device": "$torch.device('cpu')",
            },
            "postprocessing": compose(
                step("Activationsd", "pred", softmax=True),
                step("Invertd", "pred", transform="@preprocessing", orig_keys="@image_key"),
                step("AsDiscreted", "pred", argmax=True),
                step("SaveImaged", "pred", output_dir="$@bundle_root + '/eval'"),
            ),
        },
    )

    torch.manual_seed(20)
    network = torch.nn.Sequential(
        torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv3d(4, 3, 1)
    ).eval()
    path = BUNDLE / "models/model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    spaces = {axis: torch.export.Dim.DYNAMIC for axis in (0, 2, 3, 4)}
    torch.onnx.export(
        network,
        (torch.zeros(2, 1, 8, 12, 6),),
        path,
        dynamo=True,
        external_data=False,
        input_names=["image"],
        output_names=["pred"],
        dynamic_shapes=(spaces,),
        opset_version=20,
    )
    # Where and how it was made is no part of the network.
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    onnx.save(model, path)


if __name__ == "__main__":
    main()
