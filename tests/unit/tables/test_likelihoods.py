"""Tables of likelihoods and their notes."""

import numpy as np
import pytest
from tests.unit.tables.sources import MULTI, TITLES, UNI, frame, of_kind

from oodpriors.statistics.estimates import ScoreTable
from oodpriors.statistics.quantities import Measure
from oodpriors.tables.likelihoods import model_table, seed_note
from oodpriors.tables.make import show_table

# seeds and verdicts


@pytest.mark.parametrize(
    ("seeds", "note"),
    [
        ([1, 1], "There is one seed, so errors are over images alone"),
        ([3, 3], "Errors are over images and 3 seeds of each image model."),
        ([2, 3], "Errors are over images and 2 or 3 seeds of each image model."),
        ([1, 3, 1], "2 of 3 models have one seed, and their errors are over images alone"),
    ],
)
def test_the_note_on_seeds_tells_one_from_several(seeds, note):
    found = seed_note({f"m{i}": n for i, n in enumerate(seeds)})
    assert found.startswith(note)
    assert ("how much another training would differ is not in them" in found) == (1 in seeds)


@pytest.mark.parametrize(("size", "known"), [(1.2, False), (1.99, False), (2.0, True), (9.0, True)])
def test_an_error_from_importance_weights_needs_several_of_them(size, known):
    weighted = frame(UNI).assign(std_error=0.9, effective_sample_size=size)
    scores = {UNI: ScoreTable([weighted], [0], UNI)}
    row = model_table(scores, TITLES, Measure(scores, 3)).iloc[0]
    for which in ("ood", "test"):
        assert row[f"effective_sample_size_{which}"] == pytest.approx(size)
        error = row[f"monte_carlo_std_error_{which}"]
        assert error == pytest.approx(0.9) if known else np.isnan(error)


# likelihoods and rankings


@of_kind("likelihoods")
def test_likelihoods_stand_in_the_tables_order_beside_the_papers(table):
    assert table["model"].tolist() == [MULTI, UNI]
    truth = [-frame(name).query("set == 'ood'")["log_prob"].mean() for name in (MULTI, UNI)]
    np.testing.assert_allclose(table["nll_ood"], truth, rtol=1e-12)
    shown = show_table("likelihoods", table)
    assert shown["Paper: NLL out"].tolist() == ["2,679.89", "–"]
    assert shown["Prior"].tolist() == ["two", "one"]
    assert shown["bits/dim out"].tolist() == ["1.500", "1.500"]
