"""Every comparison of every claim can hold, and can fail.

Scores and stored numbers are drawn until the comparison has both verdicts, through the
library's own statistics. A share is never drawn outside [0, 1], a variance ratio never below 0.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from oodpriors.statistics.claims import judge
from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.statistics.quantities import Measure

ROOT = Path(__file__).parents[3]
CLAIMS = yaml.safe_load((ROOT / "config/claims.yaml").read_text())
CURVES = {
    name: [(10.0 * k, model) for k, model in enumerate(curve["models"])]
    for name, curve in yaml.safe_load((ROOT / "config/config.yaml").read_text())["curves"].items()
}
# fewer images would have too wide an interval for an overlap, whose bias is large
N, N_TRAININGS, TRIES = 400, 3, 3000
SHARE = re.compile("fraction|percentile|lowered|mass")
POSITIVE = re.compile("ratio_|own_ratio|regions|integral|variance|largest_difference")


def parts_of(quantity) -> Iterator[tuple[str, object]]:
    """Forms and names, columns and numbers in a quantity or a comparison."""
    if isinstance(quantity, dict):
        for key, value in quantity.items():
            if isinstance(value, str | int | float):
                yield key, value
            else:
                yield from parts_of(value)
                if key in ("left", "right") and not isinstance(value, dict):
                    yield "number", value
    elif isinstance(quantity, list):
        for value in quantity:
            yield from parts_of(value)


def named(comparison, key):
    return list(dict.fromkeys(value for k, value in parts_of(comparison) if k == key))


def models_of(comparison):
    curves = named(comparison, "curve")
    return list(
        dict.fromkeys(named(comparison, "model") + [m for c in curves for _, m in CURVES[c]])
    )


def numbers_of(comparison):
    """Numbers at which the verdict may turn, and some of every size."""
    own = [float(v) for k, v in parts_of(comparison) if not isinstance(v, str) and k != "component"]
    own += [left + right for left in own for right in own]
    return np.array([*own, *(-x for x in own), 0, 0.5, 0.3, 0.99, 1, 10, -10, 1000, -1000])


def table_of(rng, numbers, columns, model):
    """Scores of three trainings, which differ little; a place is drawn for each set and column."""
    near = np.linspace(-0.02, 0.02, N)
    frames = []
    places = {(which, c): rng.choice(numbers) for which in ("test", "ood") for c in columns}
    for training in range(N_TRAININGS):
        for which in ("test", "ood"):
            found = {c: places[which, c] + near + 0.001 * training for c in columns}
            about = {
                "set": which,
                "images": f"{which}.images",
                "nearest_component": np.arange(N) % 2,
            }
            frames.append(pd.DataFrame(about | found).assign(training=training))
    whole = pd.concat(frames)
    tables = [table for _, table in whole.groupby("training")]
    return ScoreTable(tables, range(N_TRAININGS), model)


def stored_of(rng, numbers, name):
    value = rng.choice(numbers)
    if SHARE.search(name):
        value = min(abs(value), 1.0)
    if POSITIVE.search(name):
        value = abs(value)
    return Estimate(value, value + 1e-9 * abs(value) * np.array([-1.0, 0, 1]))


def drawn_verdict(comparison, seed):
    rng = np.random.default_rng(seed)
    # in some draws few numbers, so that many places are equal
    numbers = rng.choice(numbers_of(comparison), rng.choice([3, 30]))
    columns = {"log_prob", "log_prob_component_0", "log_prob_component_1"}
    columns |= {c for c in named(comparison, "column") if c != "log_prob_nearest"}
    scores = {m: table_of(rng, numbers, sorted(columns), m) for m in models_of(comparison)}
    stored = {name: stored_of(rng, numbers, name) for name in named(comparison, "stored")}
    measure = Measure(scores, 3, 0, stored, CURVES)
    claim = {"id": "C", "where": "", "text": "", "comparisons": [comparison]}
    return judge([claim], [], measure)["verdict"].item()


COMPARISONS = {
    f"{claim['id']}-{k}": comparison
    for claim in CLAIMS
    for k, comparison in enumerate(claim["comparisons"])
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_can_hold_and_can_fail(name):
    missing = {"holds", "fails"}
    for seed in range(TRIES):
        missing -= {drawn_verdict(COMPARISONS[name], seed)}
        if not missing:
            return
    pytest.fail(f"{name} never {' and never '.join(missing)}")


def test_a_comparison_that_cannot_fail_is_found_out():
    comparison = {"left": {"stored": "pixels/lower_fraction"}, "relation": "<", "right": 2}
    found = {drawn_verdict(comparison, seed) for seed in range(200)}
    assert found == {"holds"}
