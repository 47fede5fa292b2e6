"""The examples in docs/library.md run unchanged."""

import re
from pathlib import Path

import numpy as np
import torch

from oodpriors.io.files import save_yaml
from oodpriors.models.build import build_model, save_weights

PAGE = Path(__file__).parents[2] / "docs/library.md"
SPEC = {
    "architecture": "glow",
    "image_shape": [1, 28, 28],
    "prior": {"kind": "gaussian", "means": [[50.0], [-50.0]]},
    "network": {"couplings": 2, "squeeze_after": [], "width": 4},
}


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), dtype=np.uint8)
    np.save("images.npy", images)
    model = build_model(**SPEC)
    model.initialize(torch.from_numpy(images))
    folder = Path(re.search(r'load_folder\("(.*)"\)', "".join(examples))[1])
    folder.mkdir(parents=True)
    save_yaml(folder / "spec.yaml", SPEC)
    save_weights(model, folder / "weights.pt")
    for example in examples:
        exec(example, {})
    assert re.search(r"log_prob +bits_per_dim\n0 +-\d", capsys.readouterr().out)
