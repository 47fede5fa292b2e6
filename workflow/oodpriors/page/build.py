"""Puts the page of a run together."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from oodpriors.data.provenance import describe, trained_on
from oodpriors.document.macros import STAND_IN_WARNING
from oodpriors.io.tables import read_parquet
from oodpriors.page import charts, gallery
from oodpriors.page.cards import Card, by_place, counts, figures_of, make_cards, rows_of, tone
from oodpriors.page.gallery import Images, Shown
from oodpriors.page.other import Other
from oodpriors.page.pictures import figure_uri
from oodpriors.page.tables import claims_of_rows, first_rows, make_tables
from oodpriors.page.words import model_words
from oodpriors.statistics.claims import expected_false

SCORES = ("set", "images", "index", "label", "log_prob", *gallery.PARTS)
HINTS = {
    "histograms": (
        "Point at a dot: the image, and where it lies under the panel's other models. "
        f"At most {charts.DOTS} images of each set, of one training; the lowest 1 % are at the "
        "left end of the axis."
    ),
    "curves": (
        "Point at a model: its numbers, and the images out of distribution that have the highest "
        "likelihood under one of its trainings."
    ),
}


class Drawn(NamedTuple):
    """A figure of a run: its entry, what its kind says below it, its picture (PNG), its models."""

    entry: Mapping
    note: str
    path: Path | str
    models: Sequence[str]


class Run(NamedTuple):
    """What a page is made of.

    Attributes:
        record: provenance of the run.
        claims: rows of claims.csv.
        comparison: our numbers and the paper's.
        models: likelihoods of all models.
        tables: configuration entry and content of each table.
        figures: what is drawn in each figure.
        scores: of one training of each model.
        images: ``images`` and ``index`` of each set that is scored.
        curves: rows of curves.csv; None if no figure shows them.
        titles: of architectures (as models), subsets and priors.
        other: another run beside this one.
    """

    record: Mapping
    claims: pd.DataFrame
    comparison: pd.DataFrame
    models: pd.DataFrame
    tables: Mapping[str, tuple[Mapping, pd.DataFrame]]
    figures: Mapping[str, Drawn]
    scores: Mapping[str, pd.DataFrame]
    images: Mapping[str, Mapping[str, np.ndarray]]
    curves: pd.DataFrame | None
    titles: Mapping[str, Mapping[str, str]]
    other: Other | None = None


class Figure(NamedTuple):
    """A figure as it is shown: texts, picture with its size, charts, and claims that it shows.

    ``hint`` says how to use its charts.
    """

    name: str
    where: str
    caption: str
    note: str
    uri: str
    size: tuple[int, int]
    hint: str
    charts: tuple[charts.Chart, ...]
    cards: tuple[Card, ...]

    @property
    def anchor(self) -> str:
        """Of the figure in the page."""
        return f"figure-{self.name}"


class Model(NamedTuple):
    """A model in the gallery: its name, words for it, and images by set and end."""

    name: str
    words: str
    rows: tuple[tuple[str, str, list[Shown]], ...]

    @property
    def anchor(self) -> str:
        """Of the model in the page."""
        return f"images-{self.name.replace('/', '-')}"


class Filter(NamedTuple):
    """A choice among claims: its name, its words, and words for each value of the attribute."""

    name: str
    words: str
    options: Mapping[str, str]


def build_page(run: Run, files: Mapping[str, str], library: str) -> str:
    """The page as HTML, which loads nothing.

    Args:
        run: what is shown.
        files: texts of page.html (Jinja), page.css and page.js.
        library: JavaScript that draws charts.
    """
    # blanks before lines would be much of the page
    template = re.sub(r"\n +", "\n", files["page.html"])
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"page.html": template}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"tone": tone, "slug": slug}
    scripts = [library, files["page.js"]]
    return environment.get_template("page.html").render(
        **contents(run),
        style=Markup(files["page.css"]),
        scripts=[Markup(script) for script in scripts],
        policy=policy(scripts),
    )


def policy(scripts: Sequence[str]) -> str:
    """The content security policy: nothing is loaded, and no scripts but these are run."""
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def slug(text: str) -> str:
    """A text as the value of an attribute that a style asks for.

    >>> slug("Section 5.3")
    'section-5-3'
    """
    return re.sub(r"\W+", "-", text.lower())


def contents(run: Run) -> dict:
    """What the template shows, by name."""
    cards = make_cards(run.claims, None if run.other is None else run.other.claims)
    tables = make_tables(run.models, run.tables, run.comparison, run.other)
    rows, dots, shown = first_rows(tables), Images(run.images), Images(run.images)
    entries = {name: drawn.entry for name, drawn in run.figures.items()}
    figure_models = {name: drawn.models for name, drawn in run.figures.items()}
    places = {card.name: figures_of(card, entries, figure_models) for card in cards}
    figures = [_figure(name, run, dots, cards, places) for name in run.figures]
    models = [_model(name, run, shown) for name in run.scores]
    stand_in = any(part["source"]["stand_in"] for part in run.record["data"])
    return {
        "run": run.record,
        "about": about(run.record),
        "warning": STAND_IN_WARNING if stand_in else "",
        "counts": counts(cards),
        "expected_false": expected_false(pd.Series([card.verdict for card in cards], dtype=str)),
        "cards": cards,
        "places": by_place(cards),
        "filters": filters(cards, run.titles, run.other),
        "card_figures": places,
        "card_rows": {card.name: rows_of(card, rows) for card in cards},
        "figures": figures,
        "labels": {name: entry["where"] or f"Figure {name}" for name, entry in entries.items()},
        "tables": tables,
        "row_cards": claims_of_rows(cards, rows),
        "gallery": models,
        "galleries": {model.name: model.anchor for model in models},
        "short_parts": gallery.SHORT,
        "parts": gallery.PARTS,
        "pictures": dots.used,
        "thumbnails": shown.used,
        "specs": {chart.name: chart.spec for figure in figures for chart in figure.charts},
        "words": {name: model_words(name, run.titles) for name in rows},
        "other": run.other and run.other.name,
    }


def about(record: Mapping) -> dict[str, str]:
    """What a reader must know of a run, by name."""
    code, seeds = record["code"], sorted({model["seed"] for model in record["models"]})
    return {
        "Run": record["run"],
        "Data and scale": describe(record["data"], record["scale"]),
        "Experiments": ", ".join(record["experiments"]),
        "Trainings": str(len(record["models"])),
        "Seeds": ", ".join(map(str, seeds)) or "none",
        "Trained on": ", ".join(sorted({trained_on(model) for model in record["models"]})) or "–",
        "Code": code["commit"] + (" with changes" if code["changed"] else ""),
    }


def filters(
    cards: Sequence[Card], titles: Mapping[str, Mapping[str, str]], other: Other | None
) -> list[Filter]:
    """Choices among the claims, of those values that occur."""
    verdicts = {slug(verdict): f"{verdict} ({n})" for verdict, n in counts(cards).items()}
    kinds = dict.fromkeys(kind for card in cards for kind in card.architectures)
    named = {kind: titles["models"].get(kind, kind) for kind in kinds}
    both = {"refined": "judged by both estimates", "depends": "verdict depends on the estimate"}
    found = [
        Filter("verdict", "Verdict", verdicts),
        Filter("place", "Section", {slug(place): place for place in by_place(cards)}),
        Filter("models", "Models", named),
        Filter("estimate", "Estimate", both if any(card.refined for card in cards) else {}),
    ]
    if other is not None:
        found.append(
            Filter("other", "Other run", {"differs": f"another verdict than {other.name}"})
        )
    return [each for each in found if each.options]


def _figure(
    name: str, run: Run, dots: Images, cards: Sequence[Card], places: Mapping[str, Sequence[str]]
) -> Figure:
    entry, note, path, _ = run.figures[name]
    uri, size = figure_uri(path)
    return Figure(
        name=name,
        where=entry["where"],
        caption=entry["caption"],
        note=note,
        uri=uri,
        size=size,
        hint=HINTS.get(entry["kind"], ""),
        charts=tuple(_charts(name, entry, run, dots)),
        cards=tuple(card for card in cards if name in places[card.name]),
    )


def _charts(name: str, entry: Mapping, run: Run, dots: Images) -> list[charts.Chart]:
    if entry["kind"] == "histograms" and entry["column"] == "log_prob" and not entry["columns"]:
        return charts.dot_charts(name, entry, run.scores, dots, run.titles)
    if entry["kind"] == "curves" and run.curves is not None:
        table = run.curves[run.curves["curve"].isin(entry["curves"])]
        strips = {}
        for model in table["model"]:
            if model in run.scores and model not in strips:
                strips[model] = f"highest-{model}"
                dots.used[strips[model]] = gallery.most_likely(run.scores[model], dots)
        return charts.curve_charts(name, table, strips, run.titles)
    return []


def _model(name: str, run: Run, shown: Images) -> Model:
    rows = gallery.extremes(run.scores[name], shown, run.titles["subsets"])
    return Model(name, model_words(name, run.titles), tuple(rows))


def read_model_scores(path: Path | str) -> pd.DataFrame:
    """The columns of a score file that the page shows."""
    table = read_parquet(path)
    return table[[name for name in SCORES if name in table]]
