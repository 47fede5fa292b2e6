"""Simulates what LaTeX prints, and has data for the document."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from oodpriors.document.fragments import fragments
from oodpriors.statistics.claims import compare_with_paper, judge
from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.likelihoods import likelihood_table, model_table

ROOT = Path(__file__).parents[3]


OUTLINE = yaml.safe_load((ROOT / "config/topics.yaml").read_text())
ASSUMPTIONS = (ROOT / "docs/assumptions.md").read_text()


# What LaTeX prints for each command in escaped text.
PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\&": "&",
    r"\%": "%",
    r"\$": "$",
    r"\#": "#",
    r"\_": "_",
    r"\{": "{",
    r"\}": "}",
    r"$\pm$": "±",
    r"$\ge$": "≥",
    r"$\le$": "≤",
    r"$\times$": "×",
    r"$\to$": "→",
    r"$\frac12$": "½",
    r"$\beta$": "β",
    r"$\alpha$": "α",
    r"$\cdot$": "·",
    "$-$": "−",
    "$<$": "<",
    "$>$": ">",
    "$|$": "|",
    "--": "–",
    "{[}": "[",
    "{*}": "*",
    r"\textasciigrave{}": "`",
    r"\textquotesingle{}": "'",
    r"\ss{}": "ß",
    r"\l{}": "ł",
}


COMMAND = re.compile("|".join(map(re.escape, sorted(PRINTED, key=len, reverse=True))))


def printed(text):
    text = text.replace(r"\penalty9999{}", "")
    return COMMAND.sub(lambda found: PRINTED[found[0]], text)


def assert_balanced(text):
    """Environments are nested correctly; braces and dollars are paired."""
    opened = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\[\\{}$]", "", text)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0


def cells(text):
    """The texts that a table prints, row by row."""
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    split = [re.split(r"(?<!\\) & ", row.removesuffix(r" \\")) for row in rows]
    return [[printed(re.sub(r"^\\textbf\{(.*)\}$", r"\1", c)) for c in row] for row in split]


def macros(text):
    """Names and texts of the macros."""
    found = re.findall(r"\\newcommand\{\\(\w+)\}\{(.*)\}\n", text)
    assert len(found) == text.count("\n")
    return {name: printed(value) for name, value in found}


# the parts of the document

MODELS = ["vae/fashion_1_7/unimodal", "glow/fashion_1_7/bimodal_50"]


TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "subsets": {"fashion_1_7": "Fashion-MNIST (1, 7)", "mnist": "MNIST & more"},
    "priors": {"unimodal": "uni", "bimodal_50": "multi"},
}


def scores(n_test, n_ood):
    sets = ["test"] * n_test + ["ood"] * n_ood
    images = {"test": "fashion_1_7.test", "ood": "mnist.test"}
    return ScoreTable(
        [pd.DataFrame({"set": sets, "images": [images[s] for s in sets], "log_prob": 0.0})]
    )


def model_rows():
    """Likelihoods of two models; every quantity is 0.25."""
    tables = {MODELS[0]: scores(1000, 2345), MODELS[1]: scores(800, 100)}
    quarter = Estimate(0.25, np.array([0.2, 0.25, 0.3]))
    return model_table(tables, TITLES, lambda quantity: quarter)


def record(stand_in=False, changed=False):
    source = {
        "kind": "mnist",
        "stand_in": stand_in,
        "description": "drawn_things",
        "files": [{"name": "t10k_images.gz", "sha256": "0123456789abcdef" * 4}],
    }
    about = {"parameters": 12345, "steps": 678, "training_seconds": 1800.0, "device": "cpu"}
    about |= {"code": {"commit": "e" * 40, "changed": False}, "processor": "Z80 (model 1)"}
    return {
        "run": "my_run",
        "scale": "smoke",
        "experiments": ["two_modes", "toy"],
        "whole": True,
        "date": "2019-11-26",
        "budget": {"images": {"train": None}, "models": {"vae": {"draws": 5000}}},
        "code": {"commit": "f" * 40, "changed": changed},
        "platform": "Linux",
        "software": {"python": "3.12", "scikit-learn": "1.5"},
        "data": [
            {
                "subset": "mnist",
                "split": "test",
                "images": 5,
                "of_images": 9000,
                "content_sha256": "ab" * 32,
                "source": source,
            }
        ],
        "models": [
            {"model": MODELS[0], "seed": 0, **about},
            {"model": MODELS[1], "seed": 3, **about, "round_trip_error": 2.5e-6},
        ],
    }


def made_claims():
    def measure(quantity):
        value = quantity if isinstance(quantity, int) else 0
        trained = {"m": np.array([float(value)])} if value >= 20 else {}
        return Estimate(float(value), value + np.array([-0.1, 0.0, 0.1]), trained)

    sides = {"A": (9, 1), "B": (1, 9), "C": (1, 1), "D": (8, 2), "E": (4, 4), "F": (5, 0)}
    sides |= {"G": (30, 20), "H": (20, 30)}
    return judge(
        [
            {
                "id": name,
                "where": "Table 9",
                "text": "50 % of a_b",
                "comparisons": [{"left": left, "relation": ">", "right": right}],
            }
            for name, (left, right) in sides.items()
        ],
        [],
        measure,
    )


PRINTED_NUMBER = {
    "id": "T1",
    "where": "Table 9, row 1",
    "quantity": {"model": MODELS[0], "statistic": "nll", "set": "ood"},
    "unit": "nats per image",
    "value": 1647.76,
}


def table_1():
    """The second model comes first, to test that the table sets the order."""
    return likelihood_table(model_rows(), MODELS[::-1], [PRINTED_NUMBER])


def made_comparison():
    return compare_with_paper([PRINTED_NUMBER], lambda quantity: Estimate(1500.0, np.zeros(3)))


def made(**changes):
    arguments = {
        "record": record(),
        "models": model_rows(),
        "tables": {"table1": ({"where": "Table 1", "caption": "Of a_b."}, table_1())},
        "figures": {"fig04": {"where": "Figure 4", "caption": "uni & multi."}},
        "claims": made_claims(),
        "comparison": made_comparison(),
        "assumptions": ASSUMPTIONS,
        "outline": OUTLINE,
    }
    return fragments(**(arguments | changes))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    files = [folder / "main.tex", folder / "macros.tex"]
    for file in files:
        file.write_text(f"this is {file.name}")
    return files
