"""A small run, written by hand, with titles that would do harm where they are not escaped."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from oodpriors.page.build import Drawn, Run
from oodpriors.page.other import Other
from oodpriors.statistics.claims import CLAIM_COLUMNS

HARM = "<script>window.harmed = 1</script> σ & \"x\" <img src=x onerror='window.harmed = 1'>"
QUOTE = "<script>window.harmed = 2</script> & $x_1$ 'a'"
ROOT = Path(__file__).parents[3]
FILES = {path.name: path.read_text() for path in (ROOT / "workflow/page").iterdir()}
UNI, MULTI, GLOW = "vae/cells/uni", "vae/cells/multi", "glow/cells/uni"
MODELS = (UNI, MULTI, GLOW)
TITLES = {
    "models": {"vae": "VAE", "glow": "Glow", "toy": "flow"},
    "subsets": {"cells": HARM, "dust": "Dust", "mixture_2": "mixture"},
    "priors": {"uni": "uni", "multi": "multi"},
}


def claim(name: str, comparison: str, left: float, right: float, **more) -> dict:
    """A row of claims.csv; its interval is 2 to each side."""
    kind = ">" if " > " in comparison else "<"
    difference, margin = left - right, more.get("margin", 0.0)
    excess = (difference if kind == ">" else -difference) - margin
    verdict = more.get("verdict", "holds" if excess > 2 else "fails")
    row = {
        **{"id": name, "estimator": "paper", "where": "Section 5.3, Figure 4a", "kind": "ord"},
        **{"text": f"What {name} says.", "refuted_by": "The opposite.", "shown": "shown"},
        **{"expected_at": "", "quote": "", "but": "", "verdict": verdict, "comparison": comparison},
        **{"left_words": "mean out (multi)", "relation": kind, "unit": "nats"},
        **{"right_words": comparison.split(f" {kind} ")[1]},
        **{"left": left, "right": right, "excess": excess, "margin": margin},
        **{"difference": difference, "low": difference - 2, "high": difference + 2},
        **{"std_error": 1.0, "degrees_of_freedom": np.inf, "p_value": 0.01},
        **{"trainings": f"{UNI}: 3", "images": "cells.test: 6; dust.test: 6"},
        **{"comparison_verdict": verdict, "paper_numbers": "hold"},
    }
    return row | more


def claims() -> pd.DataFrame:
    """Three claims: one of two comparisons that holds, one that fails, and one about Glow."""
    above, below = f"mean(log_prob, ood) of {UNI} > mean(log_prob, test) of {UNI}", f"{UNI} < 0"
    rows = [
        claim("C13.1", above, -100.0, -110.0, quote=QUOTE),
        claim("C13.1", f"auroc(log_prob, ood) of {MULTI} > 0.5", 5.0, 0.5, quote=QUOTE),
        claim("C2", f"auroc(log_prob, ood) {below}", 3.0, 0.0, where="Table 1", text=HARM),
        claim("K1", f"nll(log_prob, ood) of {GLOW} > 1", 90.0, 1.0, where="ours: control")
        | {"trainings": f"{GLOW}: 3"},
        claim("C13.1", above.replace("log_prob", "log_prob_refined"), -100.0, -90.0)
        | {"estimator": "refined"},
    ]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def scores(model: str, size: int = 6) -> pd.DataFrame:
    """Log-likelihoods that rise with the index in distribution, and fall out of it."""
    generator = np.random.default_rng(len(model))
    rows = []
    for which, images, sign in (("test", "cells.test", 1), ("ood", "dust.test", -1)):
        parts = np.round(sign * np.arange(size) - 100 + generator.random(size) / 10, 3)
        for index, part in enumerate(parts):
            row = {"set": which, "images": images, "index": 10 * index, "label": index % 2}
            rows.append(row | {"log_prob": part - 1, "prior_rest": part, "log_det": -1.0})
    return pd.DataFrame(rows)


def images(size: int = 6) -> dict:
    """An image for each index, each of another grey."""
    grey = np.arange(size, dtype=np.uint8)[:, None, None] + np.zeros((1, 4, 4), np.uint8)
    arrays = {"images": 20 * grey, "index": 10 * np.arange(size)}
    return {"cells.test": arrays, "dust.test": arrays}


def models() -> pd.DataFrame:
    """Rows of models.csv."""
    rows = []
    for number, name in enumerate(MODELS):
        architecture, _, prior = name.split("/")
        row = {"model": name, "architecture": TITLES["models"][architecture], "prior": prior}
        row |= {"training_data": HARM, "out_of_distribution": "Dust", "seeds": 3}
        for which in ("ood", "test"):
            row |= {f"nll_{which}": 100.0 + number, f"nll_{which}_std_error": 1.0}
            row |= {f"bits_per_dim_{which}": 3.0, f"median_{which}": -99.0}
        row |= {"gap": 5.0, "gap_std_error": 1.0}
        rows.append(row | {"auroc": 0.6 + number / 10, "auroc_low": 0.5, "auroc_high": 1.0})
    return pd.DataFrame(rows)


def curves() -> pd.DataFrame:
    """Rows of curves.csv, of a curve of two models."""
    about = {"curve": "vae", "curve_title": "VAE", "architecture": "VAE", "component": "Gaussian"}
    rows = []
    for model, distance, auroc in ((UNI, 0.0, 0.25), (MULTI, 150.0, 0.75)):
        row = about | {"model": model, "distance": distance, "trainings": 3}
        for which, median in (("test", -100.0 - distance), ("ood", -90.0 - 3 * distance)):
            row |= {f"median_{which}": median}
            row |= {f"lower_quartile_{which}": median - 5, f"upper_quartile_{which}": median + 5}
        rows.append(row | {"auroc": auroc, "auroc_low": auroc - 0.1, "auroc_high": auroc + 0.1})
    return pd.DataFrame(rows)


def record() -> dict:
    """Provenance of the run."""
    source = {"stand_in": True, "kind": "embedded"}
    part = {"subset": "cells", "split": "test", "images": 6, "of_images": 9, "source": source}
    training = {"model": UNI, "seed": 0, "device": "cpu", "processor": "a processor"}
    return {
        **{"run": "small", "scale": "smoke", "experiments": ["mine"], "data": [part]},
        **{"code": {"commit": "0" * 40, "changed": False}, "models": [training]},
        **{"software": {"python": "3.11"}},
    }


def run(folder: Path, other: Other | None = None) -> Run:
    """The run; its pictures are written into a folder."""
    for name in ("dots", "lines"):
        Image.new("RGB", (40, 20), "white").save(folder / f"{name}.png")
    dots = {"kind": "histograms", "where": "Figure 4", "caption": HARM, "columns": {}}
    dots |= {"column": "log_prob", "sets": ["test", "ood"]}
    dots |= {"panels": {HARM: [UNI, MULTI], "Glow": [GLOW]}}
    lines = {"kind": "curves", "where": "Figure 6", "caption": "Lines.", "curves": ["vae"]}
    comparison = {"where": "Table 1", "quantity": "setting", "kind": "setting", "unit": ""}
    comparison |= {"paper": "1", "ours": "2", "std_error": np.nan, "ratio": 2.0}
    table = models().iloc[:2].assign(paper_nll_ood=[90.0, np.nan])
    return Run(
        record=record(),
        claims=claims(),
        comparison=pd.DataFrame([comparison]),
        models=models(),
        tables={"mine": ({"where": "Table 1", "caption": HARM}, table)},
        figures={
            "dots": Drawn(dots, "A note.", folder / "dots.png", MODELS),
            "lines": Drawn(lines, "", folder / "lines.png", (UNI, MULTI)),
        },
        scores={model: scores(model) for model in MODELS},
        images=images(),
        curves=curves(),
        titles=TITLES,
        other=other,
    )
