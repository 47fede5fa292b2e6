"""Cards of claims: what was measured, what was needed, and where it is shown."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from oodpriors.page.intervals import Interval, constant, interval_of, needed, shift
from oodpriors.statistics.claims import NOT_SHOWN, PAPER, REFINED, VERDICTS
from oodpriors.tables.measured import significant
from oodpriors.tables.verdicts import deciding, refined_verdicts


class Compared(NamedTuple):
    """A comparison of a claim.

    Attributes:
        row: number of its line in claims.csv, where the names of the columns are line 1.
        words: what is compared.
        verdict: on this comparison.
        left, right, value: numbers as printed; value is the left side if the right one is no
            measurement, and else their difference.
        sides: whether both sides are measured.
        error: standard error and interval of the value, or nothing if there is none.
        needed: what the value must be.
        unit: of all of these.
        interval: how it is drawn; None if there is no difference.
        trainings, images: numbers of them.
        paper: whether the numbers that the paper prints hold by themselves.
        other: the value in another run.
    """

    row: int
    words: str
    verdict: str
    left: str
    right: str
    value: str
    sides: bool
    error: str
    needed: str
    unit: str
    interval: Interval | None
    trainings: str
    images: str
    paper: str
    other: str


class Card(NamedTuple):
    """A claim with its verdict.

    Attributes:
        name: of the claim.
        anchor: of the card in the page.
        where: the place in the paper.
        place: the section it is listed under.
        text: the claim.
        quote: the paper's own words; "" where there are none.
        notes: what there is to know of it.
        verdict: by the paper's estimator.
        refined: with refined posteriors; "" where there is no such verdict.
        other: in another run; "" where there is none.
        refuted_by: the results that would refute it.
        but: what it leaves out.
        architectures: of its models.
        models: its models.
        decisive: the comparison that decides it.
        compared: all comparisons.
        compared_refined: all comparisons with refined posteriors.
    """

    name: str
    anchor: str
    where: str
    place: str
    text: str
    quote: str
    notes: tuple[str, ...]
    verdict: str
    refined: str
    other: str
    refuted_by: str
    but: str
    architectures: tuple[str, ...]
    models: tuple[str, ...]
    decisive: Compared
    compared: tuple[Compared, ...]
    compared_refined: tuple[Compared, ...]

    @property
    def tone(self) -> str:
        """Name of the colour of its verdict."""
        return tone(self.verdict)

    @property
    def trainings(self) -> str:
        """How many there are of each model, in words; "" where none was needed.

        With other numbers for other models, the fewest and the most.
        """
        listed = " ".join(compared.trainings for compared in self.compared)
        found = sorted({int(count) for count in re.findall(r": (\d+)", listed)})
        if not found:
            return ""
        several = f"{found[0]} to {found[-1]}" if len(found) > 1 else str(found[0])
        return f"{several} training{'s' * (found[-1] > 1)} of each model"

    @property
    def differs(self) -> bool:
        """Whether another run has another verdict."""
        return bool(self.other) and self.other != self.verdict

    @property
    def depends(self) -> bool:
        """Whether refined posteriors give another verdict."""
        return bool(self.refined) and self.refined != self.verdict


def tone(verdict: str) -> str:
    """Name of a verdict's colour; what few trainings show has the same for one and two.

    >>> tone("not shown by two trainings")
    'not-shown'
    """
    return re.sub(r" by \w+ trainings?$", "", verdict).replace(" ", "-")


def place_of(where: str) -> str:
    """The section of the paper that a claim is from; else the first place that is given.

    >>> place_of("Figure 2c, Appendix C"), place_of("ours: control")
    ('Appendix C', 'Ours: control')
    """
    parts = where.split(", ")
    sections = [part for part in parts if part.startswith(("Section", "Appendix"))]
    found = (sections or parts)[0]
    return found[:1].upper() + found[1:]


def make_cards(
    claims: pd.DataFrame,
    other: pd.DataFrame | None = None,
) -> list[Card]:
    """A card for each claim, in the order of the table.

    Args:
        claims: claims.csv, a row for each comparison.
        other: claims.csv of another run.
    """
    decides = claims.index.isin([row.name for row in deciding(claims).values()])
    numbered = _filled(claims).assign(row=range(2, len(claims) + 2), decides=decides)
    before = {} if other is None else _differences(other)
    compared: dict[tuple[str, str], list[Compared]] = {}
    for row in numbered.to_dict("records"):
        key = (str(row["id"]), row["estimator"])
        compared.setdefault(key, []).append(_compared(row, before))
    verdicts = {} if other is None else _verdicts(other)
    refined = refined_verdicts(claims)
    first = numbered[numbered["estimator"] == PAPER].groupby("id", sort=False)
    return [
        _card(str(name), rows, compared, str(refined.get(name, "")), verdicts.get(str(name), ""))
        for name, rows in first
    ]


def _filled(claims: pd.DataFrame) -> pd.DataFrame:
    """The table with "" for every value that is missing."""
    return claims.astype(object).where(claims.notna(), "")


def _verdicts(claims: pd.DataFrame) -> dict[str, str]:
    first = claims[claims["estimator"] == PAPER].drop_duplicates("id")
    return dict(zip(first["id"].astype(str), first["verdict"], strict=True))


def _differences(claims: pd.DataFrame) -> dict[tuple[str, ...], float]:
    keys = zip(claims["id"].astype(str), claims["estimator"], claims["comparison"], strict=True)
    return dict(zip(keys, claims["difference"].astype(float), strict=True))


def _card(
    name: str,
    rows: pd.DataFrame,
    compared: Mapping[tuple[str, str], list[Compared]],
    refined: str,
    other: str,
) -> Card:
    claim, own = rows.iloc[0], tuple(compared[name, PAPER])
    notes = [NOT_SHOWN] if claim["shown"] == NOT_SHOWN else []
    notes += [f"expected at scale {claim['expected_at']}"] if claim["expected_at"] else []
    models = models_in([*rows["trainings"], *rows["comparison"]])
    return Card(
        name=name,
        anchor=f"claim-{name}",
        where=claim["where"],
        place=place_of(claim["where"]),
        text=claim["text"],
        quote=claim["quote"],
        notes=tuple(notes),
        verdict=claim["verdict"],
        refined=refined,
        other=other,
        refuted_by=claim["refuted_by"],
        but=claim["but"],
        architectures=tuple(dict.fromkeys(model.split("/")[0] for model in models)),
        models=models,
        decisive=own[int(rows["decides"].argmax())],
        compared=own,
        compared_refined=tuple(compared.get((name, REFINED), ())),
    )


def models_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Models that texts name, each once.

    >>> models_in(["vae/a/uni: 3; glow/b/multi: 1", "toy/toy/mixture_2/uni/regions < 2"])
    ('vae/a/uni', 'glow/b/multi')
    """
    found = [each for text in texts for each in re.findall(r"(?<![\w/])\w+/\w+/\w+(?![\w/])", text)]
    return tuple(dict.fromkeys(found))


def _compared(row: Mapping, before: Mapping) -> Compared:
    values = dict(row) | {
        name: math.nan if row[name] == "" else row[name]
        for name in ("left", "right", "difference", "low", "high", "std_error", "excess")
    }
    above = shift(row)
    earlier = before.get((str(row["id"]), row["estimator"], row["comparison"]))
    return Compared(
        row=row["row"],
        words=f"{row['left_words']} {_relation(row)} {row['right_words']}",
        verdict=row["comparison_verdict"],
        left=number(values["left"]),
        right=number(values["right"]),
        value=number(values["difference"] + above),
        sides=constant(row) is None,
        error=_error(values),
        needed=needed(values),
        unit=row["unit"],
        interval=interval_of(values),
        trainings=row["trainings"] or "none",
        images=row["images"] or "none",
        paper=row["paper_numbers"],
        other="" if earlier is None else number(earlier + above),
    )


def _relation(row: Mapping) -> str:
    within = row["relation"] == "within"
    return f"within {-float(row['margin']):g} of" if within else row["relation"]


def _error(row: Mapping) -> str:
    if not math.isfinite(row["std_error"]) or row["std_error"] == 0:
        return ""
    low, high = (number(row[end] + shift(row)) for end in ("low", "high"))
    return f"± {significant(row['std_error'], 2)}, 95 % [{low}, {high}]"


def number(value: float) -> str:
    """Four digits, with a minus sign; a dash for what is missing.

    >>> number(1234.56)
    '1,235'
    """
    if math.isnan(value):
        return "–"
    return significant(value, 4).replace("-", "−").replace("inf", "∞")


# Links


def figures_of(
    card: Card, figures: Mapping[str, Mapping], models: Mapping[str, Sequence[str]]
) -> list[str]:
    """Figures that show a claim: those that its place names, else the one of its models.

    Of figures with all of the claim's models it is that with the fewest others.

    Args:
        card: the claim.
        figures: entries of the configuration by name.
        models: of each figure.
    """
    named = [name for name, entry in figures.items() if _is_named(card.where, name, entry["where"])]
    if named or not card.models:
        return named
    fitting = [name for name in figures if set(card.models) <= set(models[name])]
    return sorted(fitting, key=lambda name: len(models[name]))[:1]


def _is_named(place: str, name: str, where: str) -> bool:
    """Whether the place of a claim names a figure: by its number, its name or its title."""
    parts = {part.removeprefix("ours: ") for part in place.lower().split(", ")}
    number = re.fullmatch(r"Figure (\d+)", where)
    numbered = number is not None and number[1] in _figure_numbers(place)
    return numbered or bool({name, where.lower().removeprefix("ours: ")} & parts)


def _figure_numbers(where: str) -> set[str]:
    """Numbers of the figures that are named.

    >>> sorted(_figure_numbers("Section 5.3, Figures 7a and 7b"))
    ['7']
    """
    named = re.findall(r"Figures? (\d+)[a-z]?(?: and (\d+)[a-z]?)?", where)
    return {number for pair in named for number in pair if number}


def rows_of(card: Card, rows: Mapping[str, str]) -> list[tuple[str, str]]:
    """Models of a claim that have a row in a table, with the row's anchor."""
    return [(model, rows[model]) for model in card.models if model in rows]


def by_place(cards: Iterable[Card]) -> dict[str, list[Card]]:
    """Cards by section, in the order of the cards."""
    places: dict[str, list[Card]] = {}
    for card in cards:
        places.setdefault(card.place, []).append(card)
    return places


def counts(cards: Sequence[Card]) -> dict[str, int]:
    """How many claims have each verdict, of those that occur, in the order of VERDICTS."""
    found = [card.verdict for card in cards]
    return {verdict: found.count(verdict) for verdict in VERDICTS if verdict in found}
