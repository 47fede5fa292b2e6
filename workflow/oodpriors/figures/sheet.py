"""Sheets of panels: what all figures share, whatever they show.

Each kind of figure is a function ``draw(files, about, note, paths)``, which draws stored
numbers and computes none:

- files: paths by name, as the kind's row in :data:`oodpriors.kinds.figures.FIGURES` has them.
- about: the ``entry`` of the configuration; ``models`` and ``runs``, (model, seed);
  ``means``, the first coordinate of each component's mean, and ``distances`` of two
  components, by model; ``titles`` of architectures (as models), subsets and priors; ``sets``,
  titles of the sets test and ood; ``classes``, names of labels; ``keep``, the cluster that
  models learn, None for all; ``infers``, architectures that infer latents; ``published``,
  mean log-likelihoods that the paper prints, by model and set.
- note: which data and which scale, above the panels.
- paths: files to write; the format follows the suffix.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.legend import Legend

from oodpriors.figures.colours import COLOURS
from oodpriors.figures.colours import SETS as SETS
from oodpriors.io.files import atomic

LINES = ("-", "--", "-.", ":")
TONES = len(COLOURS) // 2

FONT = "DejaVu Sans"  # comes with Matplotlib; document/characters.py says what it has
WIDTH = 6.5  # inches, the text block's: nothing is scaled in the document
LINE = 84  # characters above a panel as wide as the text
CHARACTER, HANDLE = 0.056, 0.42  # inches, of a legend's text and of what stands before it


def style() -> None:
    """Fonts and lines of all figures."""
    rc = {
        "font.size": 8,
        "font.sans-serif": [FONT],
        "text.parse_math": False,  # a dollar sign is one
        "axes.labelsize": 8,
        "axes.titlesize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.title_fontsize": 7,
        "legend.frameon": False,
        "axes.linewidth": 0.8,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "pdf.fonttype": 42,
        "savefig.dpi": 200,
    }
    sns.set_theme(context="paper", style="ticks", rc=rc)


def look_of(which: str, number: int) -> dict:
    """Colour and line of the given series of a set (test or ood); of twelve no two are alike."""
    turn, tone = divmod(number, TONES)
    return {"color": COLOURS[which, tone], "linestyle": LINES[(tone + turn) % len(LINES)]}


def sheet(
    rows: int, columns: int, height: float, note: str, **options
) -> tuple[plt.Figure, np.ndarray]:
    """A figure as wide as the text, and its axes, (rows, columns).

    Args:
        rows, columns: of axes.
        height: in inches.
        note: which data and which scale, above everything.
        options: of plt.subplots.
    """
    style()
    options = {"layout": "constrained", "figsize": (WIDTH, height)} | options
    figure, axes = plt.subplots(rows, columns, squeeze=False, **options)
    figure.suptitle(textwrap.fill(note, 125), fontsize=6.5, color="0.35")
    return figure, axes


def save(figure: plt.Figure, paths: Iterable[Path | str]) -> None:
    """Write a figure in every format, whole or not at all, with no date inside."""
    for path in map(Path, paths):
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else {}
        with atomic(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
    plt.close(figure)


def bottom_legend(figure: plt.Figure, handles: Mapping) -> None:
    """One legend of all panels, below them, in columns of equal length."""
    labels = [textwrap.fill(label, 100) for label in handles]
    most = max(1, int(WIDTH / (CHARACTER * max(map(len, handles)) + HANDLE)))
    columns = -(-len(handles) // -(-len(handles) // most))
    place: dict = {"loc": "outside lower center", "ncols": columns, "columnspacing": 1.2}
    figure.legend(handles.values(), labels, **place)


def in_panel(text: str, columns: int) -> str:
    """Text in lines that fit above one of so many panels in a row."""
    return textwrap.fill(text, LINE // columns)


def plain_axis(axis) -> None:
    """A few ticks in full numbers on an x or y axis, with equal decimals."""

    def number(value: float, _) -> str:
        places = axis.get_majorticklocs()
        step = abs(places[1] - places[0]) if len(places) > 1 else 1.0
        decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        return _number(value, decimals)

    axis.set_major_locator(plt.MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(number)


def inner_legend(
    axes, handles: Mapping[str, object], columns: int, loc: str = "upper left", title: str = ""
) -> Legend:
    """A legend above what is drawn, in one of so many panels in a row, which makes room."""
    labels = [textwrap.fill(label, 66 // columns) for label in handles]
    lines = sum(label.count("\n") + 1 for label in [*labels, *filter(None, [title])])
    axes.set_ylim(top=axes.get_ylim()[1] * (1 + 0.16 * lines))
    return axes.legend(handles.values(), labels, loc=loc, title=title or None)


def _number(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−")


def log_axis(axis, low: float, high: float) -> None:
    """Make an x or y axis of negative numbers logarithmic; the greater stay right or above.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``.
        low, high: limits, both below -1.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "symlog", f"{axis.axis_name}lim": (low, high)})
    axis.set_major_locator(plt.FixedLocator(_log_ticks(low, high)))
    axis.set_major_formatter(lambda value, _: _number(value))
    minor = -np.outer(10.0 ** np.arange(15), np.arange(2, 10)).ravel()
    axis.set_minor_locator(plt.FixedLocator([*minor[(low <= minor) & (minor <= high)]]))


def _log_ticks(low: float, high: float) -> Sequence[float]:
    for digits in ((1,), (1, 3), (1, 2, 5)):
        ticks = np.array([-digit * 10.0**power for power in range(15) for digit in digits])
        ticks = ticks[(low <= ticks) & (ticks <= high)]
        if len(ticks) > 1:
            decades = apart(np.log10(-ticks), 0.2 * np.log10(low / high))
            return (-(10**decades)).round().tolist()
    return plt.MaxNLocator(4).tick_values(low, high)


def apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Those rising places, from the first on, between which labels fit."""
    kept = [places[0]]
    for place in places[1:]:
        if place - kept[-1] > gap:
            kept.append(place)
    return np.array(kept)


def draw_steps(
    axes,
    values: np.ndarray | pd.Series,
    edges: np.ndarray,
    peak: float | None = None,
    baseline: float = 0,
    **look,
):
    """Draw a histogram as an outline with a light area, from its first to its last bin.

    Args:
        axes: to draw on.
        values: (N,).
        edges: of the bins.
        peak: height of the highest bin; None draws counts.
        baseline: on which the bins stand.
        look: ``label``, ``color``, ``linestyle``, ``alpha`` of the area and such.
    """
    counts = np.histogram(values, edges)[0]
    heights = counts if peak is None else counts * (peak / max(1, counts.max()))
    used = np.flatnonzero(counts)
    first, last = (used[0], used[-1] + 1) if len(used) else (0, 1)
    face = matplotlib.colors.to_rgba(look.pop("color"), look.pop("alpha", 0.25))
    look = {"linewidth": 1.1, "facecolor": face, "edgecolor": face[:3], "fill": True} | look
    steps = (baseline + heights)[first:last]
    return axes.stairs(steps, edges[first : last + 1], baseline=baseline, **look)
