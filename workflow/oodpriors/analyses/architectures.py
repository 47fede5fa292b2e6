"""Architecture tables, read from the built modules (Tables 2 and 3)."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

import pandas as pd
import torch
from torch import nn

from oodpriors.models.vae import VAE

COLUMNS = ["part", "operation", "kernel", "stride", "channels", "pad"]


def architecture_table(model: VAE, published: list[Mapping]) -> pd.DataFrame:
    """Compare every layer of a VAE with its row in the paper.

    Args:
        model: a VAE; its ``encoder`` and ``decoder`` are sequences of layers.
        published: the paper's rows in their order, with COLUMNS.

    Returns:
        COLUMNS as built; ``output``, the shape; ``norm``, whether batch norm follows; the
        paper's values as ``paper_<column>``; and ``differs``, the names of the columns
        that differ.
    """
    rows, nothing = [], dict[str, str]()
    for part in ("encoder", "decoder"):
        theirs = [row for row in published if row["part"] == part]
        pairs = zip_longest(_rows(model, part), theirs, fillvalue=nothing)
        rows += [_beside(our, their) for our, their in pairs]
    return pd.DataFrame(rows)


def _beside(ours: Mapping, theirs: Mapping) -> dict:
    compared = COLUMNS[1:]
    differs = [name for name in compared if ours.get(name) != theirs.get(name)]
    row = {"part": ours.get("part", theirs.get("part"))}
    row |= {name: ours.get(name) for name in (*compared, "output", "norm")}
    row |= {f"paper_{name}": theirs.get(name) for name in compared}
    return row | {"differs": ", ".join(differs)}


@torch.no_grad()
def _rows(model: VAE, part: str) -> Iterator[dict]:
    model.eval()
    latent = model.prior.means.shape[1]
    x = torch.zeros((1, *model.image_shape)) if part == "encoder" else torch.zeros(1, latent)
    layers = list(getattr(model, part))
    for i, layer in enumerate(layers):
        x = layer(x)
        described = _describe(layer)
        if described:
            norm = i + 1 < len(layers) and isinstance(layers[i + 1], nn.BatchNorm2d)
            shape = " × ".join(map(str, x.shape[1:]))
            yield {"part": part, **described, "output": shape, "norm": norm}


def _describe(layer: nn.Module) -> dict | None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        kind = "transposed convolution" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
        return {
            "operation": kind,
            "kernel": layer.kernel_size[0],
            "stride": layer.stride[0],
            "channels": layer.out_channels,
            "pad": layer.padding[0],
        }
    if isinstance(layer, nn.Linear):
        return {"operation": "fully connected", "channels": layer.out_features}
    if isinstance(layer, nn.Unflatten) and layer.unflattened_size[1:] != (1, 1):
        return {"operation": "reshape", "channels": layer.unflattened_size[0]}
    return None
