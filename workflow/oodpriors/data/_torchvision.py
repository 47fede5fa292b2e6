"""torchvision's data sets, also beside a build of PyTorch that its operators do not fit.

PyPI's torchvision is compiled for CUDA; beside a CPU-only torch its operators cannot
load and the import stops at a missing schema. Data sets need no operators, so the two
schemas are declared where they are missing.
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
