"""Charts that answer to the pointer: Figure 4 with an image for each dot, and Figure 6."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from oodpriors.figures.colours import COLOURS, SETS
from oodpriors.page.gallery import Images
from oodpriors.page.words import model_words

DOTS = 80  # images of a set
VALUES = 3 * 32 * 16  # of an image; of one with more, there are fewer dots
BINS = 40
LOWEST = 0.01  # share of the dots that may lie left of the axis and are drawn at its end
LOG_RATIO = 10  # of medians, from which an axis is logarithmic
HEIGHT = 66  # pixels, of the band of a set
FILLED, LEAST_PEAK = 0.85, 8  # of a band; dots, of the highest bin of a set that fills it
CURVE_HEIGHT = 260
AXIS = alt.Axis(
    grid=False, tickCount=5, labelFontSize=11, titleFontSize=12, titleFontWeight="normal"
)
LEGEND = alt.Legend(orient="top", columns=1, labelLimit=0, labelFontSize=12, symbolOpacity=1)
KINDS: dict[bool, Literal["linear", "symlog"]] = {False: "linear", True: "symlog"}
NATS = "log p (nats per image)"


class Chart(NamedTuple):
    """A chart: its name in the page, its title, what it shows, and its Vega-Lite specification."""

    name: str
    title: str
    alt: str
    spec: dict


def library() -> str:
    """The JavaScript of Vega-Lite, Vega and Vega-Embed (BSD-3-Clause)."""
    major = alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2]
    # its stub asks for a snippet, which it does not need
    return vl_convert.javascript_bundle(vl_version=".".join(major))  # type: ignore[call-arg]


# Dots


def drawn(size: int, number: int, seed: int = 0) -> np.ndarray:
    """Places of the images that are drawn as dots, at most so many, in increasing order."""
    chosen = np.random.default_rng(seed).permutation(size)[:number]
    return np.sort(chosen)


def is_logarithmic(samples: Sequence[np.ndarray]) -> bool:
    """Whether medians of negative log-likelihoods differ by an order of magnitude."""
    if not samples or max(values.max() for values in samples) >= -1:
        return False
    medians = [np.median(values) for values in samples]
    return bool(min(medians) / max(medians) > LOG_RATIO)


def piled(values: np.ndarray, low: float, high: float, logarithmic: bool) -> np.ndarray:
    """Height of each dot on the others of its bin, (n,) int; the lower value is below.

    Args:
        values: (n,); those below low count as low.
        low, high: ends of the axis, which has BINS bins.
        logarithmic: whether the bins are as wide on a logarithmic axis of negative numbers.
    """
    ends = np.array([low, high])
    scaled = np.clip(values, low, high)
    if logarithmic:
        ends, scaled = -np.log10(-ends), -np.log10(-scaled)
    width = (ends[1] - ends[0]) / BINS or 1.0
    bins = np.minimum((scaled - ends[0]) // width, BINS - 1)
    heights = np.zeros(len(values), int)
    for one in np.unique(bins):
        inside = np.flatnonzero(bins == one)
        heights[inside[np.argsort(values[inside], kind="stable")]] = np.arange(len(inside))
    return heights


def dot_charts(
    name: str,
    entry: Mapping,
    scores: Mapping[str, pd.DataFrame],
    images: Images,
    titles: Mapping[str, Mapping[str, str]],
) -> list[Chart]:
    """A chart for each panel of a figure of log-likelihoods, of the same images in all panels.

    Args:
        name, entry: of the figure.
        scores: of one training of each model.
        images: of the sets.
        titles: of architectures (as models), subsets and priors.
    """
    charts = []
    for number, (title, models) in enumerate(entry["panels"].items()):
        known = [model for model in models if model in scores]
        rows = [
            row
            for tone, model in enumerate(known)
            for which in entry["sets"]
            for row in _dots(scores[model], model, which, tone, images, titles)
        ]
        if rows:
            said = ", ".join(model_words(model, titles) for model in known)
            words = f"Log-likelihoods of single images under {said}."
            charts.append(Chart(f"{name}-{number}", title, words, dots_spec(pd.DataFrame(rows))))
    return charts


def _dots(
    scores: pd.DataFrame,
    model: str,
    which: str,
    tone: int,
    images: Images,
    titles: Mapping[str, Mapping[str, str]],
) -> list[dict]:
    rows = scores[scores["set"] == which]
    if not len(rows) or rows["images"].iloc[0] not in images:
        return []
    chosen = drawn(len(rows), images.number(rows["images"].iloc[0], DOTS, VALUES))
    found = rows.iloc[chosen]
    finite = found[np.isfinite(found["log_prob"])]
    subset = rows["images"].iloc[0].split(".")[0]
    prior = titles["priors"].get(model.split("/")[2], model)
    return [
        {
            "key": images.key(row["images"], row["index"]),
            "series": f"{prior}, {titles['subsets'].get(subset, subset)} ({SETS[which]})",
            "colour": COLOURS[which, min(tone, 2)],
            "log_prob": round(row["log_prob"], 2),
            "label": row["label"],
        }
        for row in finite.to_dict("records")
    ]


def placed(rows: pd.DataFrame, low: float, high: float, logarithmic: bool) -> pd.DataFrame:
    """The dots with their heights ``y``, in a band of height 1 for each series.

    Args:
        rows: see :func:`dots_spec`.
        low, high, logarithmic: see :func:`piled`.
    """
    bands = list(dict.fromkeys(rows["series"]))[::-1]
    y = np.empty(len(rows))
    for band, series in enumerate(bands):
        own = (rows["series"] == series).to_numpy()
        heights = piled(rows.loc[own, "log_prob"].to_numpy(), low, high, logarithmic)
        y[own] = band + FILLED * heights / max(heights.max(), LEAST_PEAK)
    return rows.assign(y=np.round(y, 2))


def dots_spec(rows: pd.DataFrame) -> dict:
    """The specification of one panel; the page adds the address of each image as ``image``.

    Args:
        rows: ``key``, ``series``, ``colour``, ``log_prob`` and ``label`` of each dot.
    """
    series = rows.drop_duplicates("series")
    samples = [part["log_prob"].to_numpy() for _, part in rows.groupby("series", sort=False)]
    logarithmic, high = is_logarithmic(samples), float(rows["log_prob"].max())
    low = min(float(np.quantile(values, LOWEST)) for values in samples)
    hover = alt.selection_point(on="pointerover", fields=["key"], empty=False)
    x_scale = alt.Scale(type=KINDS[logarithmic], domain=[low, high], nice=False)
    y_scale = alt.Scale(domain=[-0.1, len(series)])
    names = series["series"].tolist()
    colours = alt.Scale(domain=names, range=series["colour"].tolist())
    dots = placed(rows, low, high, logarithmic).drop(columns="colour")
    dots["series"] = dots["series"].map(names.index)  # names would be most of the page
    chart = (
        alt.Chart(dots)
        .transform_calculate(
            of=f"{json.dumps(names)}[datum.series]", at=f"max(datum.log_prob, {low})"
        )
        .mark_circle(opacity=0.85)
        .encode(
            x=alt.X("at:Q", title=NATS, scale=x_scale, axis=AXIS),
            y=alt.Y("y:Q", axis=None, scale=y_scale),
            color=alt.Color("of:N", title=None, legend=LEGEND, scale=colours),
            size=alt.condition(hover, alt.value(220), alt.value(40)),
            tooltip=[
                "image:N",
                alt.Tooltip("log_prob:Q", title="log p", format=",.1f"),
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip("of:N"),
            ],
        )
        .properties(width="container", height=HEIGHT * len(series))
        .add_params(hover)
    )
    return _plain(chart)


def _plain(chart: alt.Chart | alt.LayerChart) -> dict:
    """The specification without a style: the page has one for light and one for dark."""
    spec = chart.configure_view(stroke=None).to_dict()
    return spec | {
        "background": "transparent",
        "autosize": {"type": "fit-x", "contains": "padding"},
    }


# Curves


def curve_charts(
    name: str, table: pd.DataFrame, strips: Mapping[str, str], titles: Mapping
) -> list[Chart]:
    """Medians of both sets and the AUROC over the distance, for each architecture (Figure 6).

    Args:
        name: of the figure.
        table: rows of curves.csv.
        strips: keys of pictures of each model's most likely images out of distribution.
        titles: of architectures (as models), subsets and priors.
    """
    charts = []
    for number, (architecture, rows) in enumerate(table.groupby("architecture", sort=False)):
        rows = rows.assign(
            key=[strips.get(model, "") for model in rows["model"]],
            words=[model_words(model, titles) for model in rows["model"]],
        )
        for what, spec in (("medians", medians_spec(rows)), ("AUROC", auroc_spec(rows))):
            words = f"{what} of {architecture} over the distance between the components."
            charts.append(Chart(f"{name}-{number}-{what}", f"{architecture}: {what}", words, spec))
    return charts


def _distance() -> alt.X:
    scale = alt.Scale(type="sqrt", nice=False)
    return alt.X("distance:Q", title="distance d (square-root scale)", scale=scale, axis=AXIS)


def _about(*more: alt.Tooltip) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("image:N"),
        alt.Tooltip("words:N", title="model"),
        alt.Tooltip("distance:Q", title="d"),
        *more,
        alt.Tooltip("trainings:Q"),
    ]


def medians_spec(rows: pd.DataFrame) -> dict:
    """Medians between quartiles, a line for each set and kind of component.

    Args:
        rows: of one architecture, of curves.csv, with ``key``, of the picture, and ``words``.
    """
    ends = {"median": "median", "lower": "lower_quartile", "upper": "upper_quartile"}
    about = ["component", "distance", "trainings", "key", "words"]
    parts = [
        rows[about].assign(
            which=title, **{new: rows[f"{old}_{which}"] for new, old in ends.items()}
        )
        for which, title in SETS.items()
    ]
    data = pd.concat(parts, ignore_index=True)
    data = data.replace([-np.inf, np.inf], np.nan).dropna(subset=list(ends))
    low, high = float(data["lower"].min()), float(data["upper"].max())
    ratio = float(data["median"].min() / data["median"].max())
    logarithmic = high < -1 and ratio > LOG_RATIO
    scale = alt.Scale(type=KINDS[logarithmic], domain=[low, high], nice=False)
    colours = alt.Scale(domain=[*SETS.values()], range=[COLOURS[which, 0] for which in SETS])
    base = alt.Chart(data).encode(
        x=_distance(),
        color=alt.Color("which:N", title=None, legend=LEGEND, scale=colours),
    )
    nats = [
        alt.Tooltip(f"{end}:Q", title=title, format=",.1f")
        for end, title in (("median", "median"), ("lower", "quartile"), ("upper", "and"))
    ]
    y = alt.Y("median:Q", title=NATS, scale=scale, axis=AXIS)
    line = base.mark_line(strokeWidth=1.4).encode(y=y, strokeDash=_dash())
    band = base.mark_area(opacity=0.13).encode(
        y=alt.Y("lower:Q", title=NATS, scale=scale), y2="upper:Q", detail="component:N"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y, shape=_shape(LEGEND), tooltip=_about(alt.Tooltip("which:N", title="set"), *nats)
    )
    return _plain((band + line + points).properties(width="container", height=CURVE_HEIGHT))


def auroc_spec(rows: pd.DataFrame) -> dict:
    """AUROC with its interval, a line for each kind of component; 0.5 is chance.

    Args:
        rows: see :func:`medians_spec`.
    """
    columns = ["component", "distance", "trainings", "key", "words"]
    data = rows[[*columns, "auroc", "auroc_low", "auroc_high"]]
    colours = alt.Scale(range=[COLOURS["ood", 0], COLOURS["ood", 1], COLOURS["ood", 2]])
    component = alt.Color("component:N", title=None, legend=LEGEND, scale=colours)
    base = alt.Chart(data).encode(x=_distance(), color=component)
    y = alt.Y("auroc:Q", title="AUROC", scale=alt.Scale(domain=[0, 1]), axis=AXIS)
    line = base.mark_line(strokeWidth=1.4).encode(y=y, strokeDash=_dash())
    errors = base.mark_rule().encode(y="auroc_low:Q", y2="auroc_high:Q")
    numbers = [
        alt.Tooltip(name, title=title, format=".3f")
        for name, title in (("auroc:Q", "AUROC"), ("auroc_low:Q", "from"), ("auroc_high:Q", "to"))
    ]
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y, shape=_shape(None), tooltip=_about(alt.Tooltip("component:N"), *numbers)
    )
    chance = alt.Chart(pd.DataFrame({"y": [0.5]})).mark_rule(color="#888").encode(y="y:Q")
    layers = chance + errors + line + points
    return _plain(layers.properties(width="container", height=CURVE_HEIGHT * 2 // 3))


def _dash() -> alt.StrokeDash:
    return alt.StrokeDash("component:N", title=None, legend=None)


def _shape(legend: alt.Legend | None) -> alt.Shape:
    return alt.Shape("component:N", title=None, legend=legend)
