"""Stored data for each kind of table."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.unit.companions import rows as companions

from oodpriors.analyses import second_order
from oodpriors.analyses.architectures import architecture_table
from oodpriors.models.build import build_model
from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.statistics.quantities import Measure, save_stored
from oodpriors.tables.decomposition import decomposition_table
from oodpriors.tables.likelihoods import model_table
from oodpriors.tables.ranking import ranking_table
from oodpriors.tables.toy import toy_table

ROOT = Path(__file__).parents[3]


UNI, MULTI, CONTROL = "glow/f/uni", "glow/f/multi", "glow/f/random"


CV = ["cv_glow/f/uni", "cv_glow/f/multi"]


TOYS = ["toy/mixture_2/uni", "toy/mixture_2/multi"]


TITLES = {
    "models": {"glow": "Glow", "toy": "flow", "vae": "VAE"},
    "subsets": {"f": "Fashion", "m": "MNIST"},
    "priors": {"uni": "one", "multi": "two", "random": "control"},
}


PARTS = ["prior_separating", "prior_rest", "log_det"]


PUBLISHED = [
    {"quantity": {"model": MULTI, "statistic": "nll", "set": "ood"}, "value": 2679.89},
    {"quantity": {"model": TOYS[0], "statistic": "mean", "set": "test"}, "value": -3.25},
    {"quantity": {"model": TOYS[1], "statistic": "mean", "set": "ood"}, "value": -40.11},
    {"setting": "toy.network.couplings", "value": 4},
    {"quantity": None, "value": 1.0},
]


def frame(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 40})
    table["images"] = table["set"].map({"test": "f.test", "ood": "m.test"})
    for part in PARTS:
        table[part] = rng.normal(-100, 10, len(table))
    table["log_prob"] = table[PARTS].sum(axis=1)
    return table.assign(bits_per_dim=1.5, std_error=0.1)


def refined_frame(name, seed=0):
    """Scores of a VAE whose first ten images of each set have a refined posterior."""
    table = frame(name)
    few = table.groupby("set").cumcount() < 10
    more = {
        "log_prob_refined": table["log_prob"] + 50 + seed,
        "effective_sample_size_refined": 2.5,
        "refinement_steps": 80.0,
        "refinement_failed": (table.index % 5 == 0).astype(float),
    }
    columns = {key: np.where(few, value, np.nan) for key, value in more.items()}
    return table.assign(refined=few, **columns)


VAES = ["vae/f/uni", "vae/f/multi"]
SCORES = {name: ScoreTable([frame(name)], [0], name) for name in (UNI, MULTI, CONTROL, *TOYS)}
SCORES |= {
    name: ScoreTable([refined_frame(name, s) for s in (0, 1)], [0, 1], name) for name in VAES
}


EXACT = {"test": -3.185, "ood": -13.55}


STORED = {f"toy/{toy}/exact_{s}": Estimate(value) for toy in TOYS for s, value in EXACT.items()}


MEASURE = Measure(SCORES, 100, 0, STORED)


MODELS = {name: SCORES[name] for name in (UNI, MULTI, CONTROL)}
WITH_VAES = {name: SCORES[name] for name in (UNI, *VAES)}


def architecture_source():
    network = {"latent_dim": 2, "decoder_width": 8}
    model = build_model("vae", (1, 28, 28), {"kind": "gaussian", "means": [[0.0]]}, network)
    rows = yaml.safe_load((ROOT / "config/architectures.yaml").read_text())
    return architecture_table(model, rows["grey"])


def second_order_source():
    replicates = np.array([-1.0, 0.0, 1.0])
    names = ("measured", *second_order.PREDICTIONS)
    return {
        f"{model}/{name}": Estimate(float(10 * (i + 1) + j), 10 * (i + 1) + j + replicates)
        for i, model in enumerate(CV)
        for j, name in enumerate(names)
    }


def stored_second_order(tmp_path):
    save_stored(tmp_path / "second_order.csv", second_order_source())
    return pd.read_csv(tmp_path / "second_order.csv")


ENTRIES = {
    "likelihoods": {"models": [MULTI, UNI]},
    "ranking": {},
    "refined": {},
    "decomposition": {"pairs": [[UNI, MULTI]]},
    "architecture": {"network": "grey"},
    "toy": {},
    "second_order": {"models": CV[::-1]},
    "companions": {"models": [companions.UNI]},
    "best_scores": {"models": [companions.UNI, companions.MULTI]},
    "remedy": {"pairs": [[companions.UNI, companions.MULTI]]},
}


def source_of(kind, tmp_path):
    """Stored data of a kind, in the form that is read."""
    if kind == "second_order":
        return stored_second_order(tmp_path)
    pairs = [(UNI, MULTI), (UNI, CONTROL)]
    made = {
        "likelihoods": lambda: model_table(MODELS, TITLES, MEASURE),
        "refined": lambda: model_table(WITH_VAES, TITLES, MEASURE),
        "ranking": lambda: ranking_table(MODELS, TITLES, MEASURE),
        "decomposition": lambda: decomposition_table(pairs, MODELS, TITLES, MEASURE),
        "architecture": architecture_source,
        "companions": companions.companion_rows,
        "best_scores": companions.companion_rows,
        "remedy": companions.companion_rows,
        "toy": lambda: toy_table({toy: SCORES[toy] for toy in TOYS}, TITLES, MEASURE),
    }
    return reread(made[kind]())


def reread(table):
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def of_kind(*kinds):
    return pytest.mark.parametrize("table", kinds, indirect=True)
