"""Losses of a training on stand-ins: python tests/gpu/curve.py vae|glow fast|eager SEED EPOCHS

Prints a JSON list with the mean loss of each epoch. Eager means layer by layer and
kernel by kernel; a fast path must agree with it.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from oodpriors.data.stand_ins import draw_garments
from oodpriors.io.devices import find_device
from oodpriors.models import compilation, glow
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings

MODELS = {
    "vae": (50, {"latent_dim": 50, "decoder_precision": "bfloat16"}, {"learning_rate": 1e-3}),
    "glow": (
        784,
        {"couplings": 8, "squeeze_after": [4], "width": 64, "precision": "bfloat16"},
        {"learning_rate": 1e-3, "warmup_epochs": 2, "polyak_epochs": 1, "max_grad_norm": 20000},
    ),
}
MEANS = [[75.0], [-75.0]]


def losses(name: str, fast: bool, seed: int, epochs: int) -> list[float]:
    if not fast:
        compilation._state["usable"] = False
        glow.Glow.forward = glow.Glow._forward_by_layers
    _, images, labels = draw_garments()[0]
    _, network, settings = MODELS[name]
    torch.manual_seed(seed)
    model = build_model(name, (1, 28, 28), {"kind": "gaussian", "means": MEANS}, network)
    with tempfile.TemporaryDirectory() as folder:
        training = Trainer(
            model,
            torch.from_numpy(images[:, None]),
            torch.from_numpy((labels >= 5).astype(np.int64)),
            TrainingSettings(epochs=epochs, batch_size=64, seed=seed, **settings),
            Path(folder, "checkpoint"),
            find_device("cuda"),
            graphed=fast,
        )
        training.run()
    return [row["loss"] for row in training.history]


if __name__ == "__main__":
    name, path, seed, epochs = sys.argv[1:]
    print(json.dumps(losses(name, path == "fast", int(seed), int(epochs))))
