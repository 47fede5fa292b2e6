"""The heat map of companion scores."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tests.unit.companions.rows import CIFAR, MULTI, UNI, companion_rows

from oodpriors.figures import companions
from oodpriors.figures.companions import draw
from oodpriors.kinds.companions import COMPANIONS


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """The axes of the figure of an entry."""
    figures = []
    monkeypatch.setattr(companions, "save", lambda figure, paths: figures.append(figure))

    def of(table=None, **entry):
        table = companion_rows() if table is None else table
        table.to_csv(tmp_path / "companions.csv", index=False)
        draw({"table": tmp_path / "companions.csv"}, {"entry": entry}, "note", [])
        return figures[-1].axes

    yield of
    for figure in figures:
        plt.close(figure)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_a_panel_for_each_set_and_a_cell_for_each_model_and_score(drawn):
    first, second, _ = drawn(models=[MULTI, UNI, CIFAR])
    assert [axis.get_title() for axis in (first, second)] == ["MNIST", "SVHN"]
    assert labels(first.xaxis) == ["VAE, two\nFashion", "VAE, one\nFashion"]
    assert labels(second.xaxis) == ["Glow, one\nCIFAR"]
    kept = [i for i, name in enumerate(COMPANIONS) if name != "waic"]  # no model has it
    assert labels(first.yaxis) == [[*COMPANIONS.values()][i].title for i in kept]
    values = first.images[0].get_array()
    assert values.shape == (len(kept), 2)
    np.testing.assert_allclose(values[:, 0], (10 + np.array(kept)) / 100)


def test_colours_mean_the_same_in_every_figure(drawn):
    for axis in drawn(models=[UNI, CIFAR])[:2]:
        assert axis.images[0].get_clim() == (0, 1)


def test_a_score_that_is_missing_is_a_dash(drawn):
    axis, _ = drawn(models=[UNI], scores=["waic", "log_prob"])
    assert [text.get_text() for text in axis.texts] == ["–", "0.00"]


def test_a_model_has_its_column_even_if_it_has_none_of_the_scores(drawn):
    axis, _ = drawn(models=[UNI, MULTI], scores=["waic"])
    assert labels(axis.xaxis) == ["VAE, one", "VAE, two"]


def test_sets_may_have_the_rows_and_scores_the_panels(drawn):
    scores = ["log_prob", "corrected"]
    *panels, _ = drawn(models=[UNI, CIFAR], scores=scores, rows="sets")
    assert [axis.get_title() for axis in panels] == [COMPANIONS[name].title for name in scores]
    for axis, score in zip(panels, scores, strict=True):
        assert labels(axis.yaxis) in ([], ["MNIST", "SVHN"])
        number = [*COMPANIONS].index(score)
        cells = [[text.get_text() for text in axis.texts][i : i + 2] for i in (0, 2)]
        assert cells == [[f"{number / 100:.2f}", "–"], ["–", f"{(20 + number) / 100:.2f}"]]
