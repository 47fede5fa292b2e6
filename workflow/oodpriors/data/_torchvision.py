"""torchvision's data sets, even if its operators do not fit the installed PyTorch.

PyPI's torchvision is compiled for CUDA. With a CPU-only PyTorch its operators cannot
load, and the import fails at a missing schema. Data sets need no operators, so the two
schemas are declared here if they are missing.
"""

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _import_datasets():
    try:
        from torchvision import datasets
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")
        for schema in SCHEMAS:
            library.define(schema)
        from torchvision import datasets
    return datasets


datasets = _import_datasets()
