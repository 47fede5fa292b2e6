"""Figures show all of their data; nothing overlaps or is cut off."""

from itertools import combinations

import matplotlib.pyplot as plt
import pytest
from tests.unit.figures.conftest import FIGURES, panels_of, steps, tick_texts

from oodpriors.figures.sheet import WIDTH, bottom_legend, in_panel, sheet

EACH_FUNCTION = ["fig01", "fig02", "fig03", "fig06", "fig07", "fig11", "fig13", "fig14", "fig16"]


def texts(figure):
    """All texts in a figure: title, labels, ticks, legends."""
    found = [figure._suptitle, *figure.legends]
    for axes in figure.axes:
        found += [axes.title, axes.xaxis.label, axes.yaxis.label]
        found += [axes.xaxis.offsetText, axes.yaxis.offsetText]
        found += tick_texts(axes.xaxis) + tick_texts(axes.yaxis)
        found += [axes.get_legend()] if axes.get_legend() else []
    return [text for text in found if not hasattr(text, "get_text") or text.get_text().strip()]


def boxes(figure):
    return {text: text.get_window_extent().padded(-0.5) for text in texts(figure)}


# All figures


@pytest.mark.parametrize("name", FIGURES)
def test_both_files_are_written_as_wide_as_the_text(figure_of, name):
    figure_of(name)
    pdf, png = ((figure_of.folder / f"{name}.{kind}").read_bytes() for kind in ("pdf", "png"))
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == round(WIDTH * 200)


@pytest.mark.parametrize("name", EACH_FUNCTION)
def test_same_input_gives_the_same_bytes(figure_of, name, tmp_path):
    figure_of(name)
    FIGURES[name]([tmp_path / "again.pdf"])
    assert (tmp_path / "again.pdf").read_bytes() == (figure_of.folder / f"{name}.pdf").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page(figure_of, name):
    figure = figure_of(name)
    for text, box in boxes(figure).items():
        assert figure.bbox.padded(1).count_contains(box.corners()) == 4, text


@pytest.mark.parametrize("name", FIGURES)
def test_no_texts_overlap(figure_of, name):
    for (one, box), (other, other_box) in combinations(boxes(figure_of(name)).items(), 2):
        assert not box.overlaps(other_box), (one, other)


@pytest.mark.parametrize("name", FIGURES)
def test_no_legend_covers_a_histogram(figure_of, name):
    for axes in filter(lambda axes: axes.get_legend(), panels_of(figure_of(name))):
        box = axes.get_legend().get_window_extent()
        for patch in steps(axes):
            heights, edges, _ = patch.get_data()
            left, right = axes.transData.inverted().transform([box.min, box.max])[:, 0]
            under = heights[(edges[1:] > left) & (edges[:-1] < right)]
            top = axes.transData.transform((0, under.max(initial=0)))[1]
            assert top < box.y0 + 1, axes.get_title()


def test_the_checks_see_what_overlaps_and_what_is_cut():
    figure, axes = plt.subplots(figsize=(2, 1))
    figure.suptitle("over the edge of a page as narrow as this one")
    axes.set_xticks([0, 0.01], ["first", "second"])
    figure.canvas.draw()
    assert any(box.x0 < 0 for box in boxes(figure).values())
    assert any(a.overlaps(b) for a, b in combinations(boxes(figure).values(), 2))
    plt.close(figure)


def test_texts_are_drawn_as_they_are_written():
    figure, axes = sheet(1, 1, 2, "$a$ and $b$")
    drawn = axes[0, 0].plot([0, 1], label="_x")[0]
    axes[0, 0].set_title(in_panel("$c$ " + "d" * 200, 2))
    bottom_legend(figure, {"_hidden $e$": drawn, "f" * 150: drawn})
    figure.canvas.draw()
    assert not any(text.get_parse_math() for text in figure.findobj(plt.Text))
    assert axes[0, 0].get_title().replace("\n", "").endswith("d" * 200)
    labels = [text.get_text().replace("\n", "") for text in figure.legends[0].get_texts()]
    assert labels == ["_hidden $e$", "f" * 150]
    plt.close(figure)
