"""How much each layer of a model would change to make an image more likely."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from oodpriors.data.subsets import to_nchw
from oodpriors.io.progress import Progress
from oodpriors.models.base import Model
from oodpriors.scoring.score_files import evenly_spaced


def layers_of(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Parameters of each module that has some of its own, by its name."""
    own = {name: [*module.parameters(recurse=False)] for name, module in model.named_modules()}
    return {name: parameters for name, parameters in own.items() if parameters}


def gradient_norms(model: Model, x: Tensor) -> dict[str, np.ndarray]:
    """Log of the squared norm of the gradient of log p(x), by layer: uint8 (N, C, H, W) -> (N,).

    log p is under the whole mixture, with one draw: of the dequantisation for a flow; of
    the posterior for a VAE, whose evidence lower bound is taken. A layer without a
    gradient has -inf. The features are those of Dauncey et al. (2024), Section 3.

    Args:
        model: in evaluation mode.
        x: images, on the model's device.
    """
    model = _for_gradients(model)
    layers, rows = layers_of(model), []
    flat, sizes = [p for own in layers.values() for p in own], [len(own) for own in layers.values()]
    component = torch.zeros(1, dtype=torch.long, device=x.device)
    progress = Progress(len(x), "gradients")
    for number, image in enumerate(x):
        loss = model.loss(image[None], component)["loss"]
        found = torch.autograd.grad(loss, flat, allow_unused=True, materialize_grads=True)
        squares = torch.stack([gradient.double().square().sum() for gradient in found])
        rows.append(torch.stack([part.sum() for part in squares.split(sizes)]))
        progress.update(number + 1)
    return dict(zip(layers, torch.stack(rows).log().cpu().numpy().T, strict=True))


def _for_gradients(model: Model) -> Model:
    """A copy whose loss is -log p under the mixture, in the precision of its weights."""
    model = copy.deepcopy(model).requires_grad_()
    model.prior.unsupervised = True
    part: Any  # of any kind that has a precision
    for part in model.modules():
        if hasattr(part, "low_precision"):
            part.low_precision = False
    return model


def score_gradients(
    model: Model,
    arrays: Mapping[str, Mapping[str, np.ndarray]],
    scores: pd.DataFrame,
    n_images: int,
    seed: int,
) -> pd.DataFrame:
    """Gradient norms of some images of each set, evenly spaced among those that were scored.

    Args:
        model: see :func:`gradient_norms`.
        arrays: ``images`` and ``index`` of each set.
        scores: the model's score file.
        n_images: number of images of each set.
        seed: seed of the draws, which differ between sets.

    Returns:
        ``set``, ``images`` and ``index`` as in the score file, and the logs of the squared
        norms, ``gradient_<layer>``.
    """
    tables, device = [], next(model.parameters()).device
    for number, (which, rows) in enumerate(scores.groupby("set", sort=False)):
        kept = rows.iloc[evenly_spaced(len(rows), n_images)]
        places = pd.Index(arrays[str(which)]["index"]).get_indexer(kept["index"])
        images = to_nchw(arrays[str(which)]["images"][places])
        torch.manual_seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
        norms = gradient_norms(model, torch.from_numpy(images).to(device))
        columns = {f"gradient_{layer}": values for layer, values in norms.items()}
        tables.append(kept[["set", "images", "index"]].assign(**columns))
    return pd.concat(tables, ignore_index=True)
