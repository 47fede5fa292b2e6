"""Quantities of claims: statistics of models and curves, and stored estimates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic
from oodpriors.io.tables import read_csv
from oodpriors.statistics.estimates import Estimate, ScoreTable, combine, estimate, pick


def _difference(rows: np.ndarray) -> np.ndarray:
    left, right = rows
    return left - right


def _ratio(rows: np.ndarray) -> np.ndarray:
    left, right = rows
    with np.errstate(divide="ignore", invalid="ignore"):
        return left / right


# Each takes the rows of its quantities, (k, R).
OPERATIONS = {
    "difference": _difference,
    "ratio": _ratio,
    "largest": lambda rows: rows.max(0),
    "smallest": lambda rows: rows.min(0),
}


def _spearman(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    x = rankdata(distances)[:, None]
    y = rankdata(heights, axis=0, nan_policy="propagate")
    x, y = x - x.mean(), y - y.mean(0)
    with np.errstate(invalid="ignore"):  # a flat curve has no rank correlation
        return (x * y).sum(0) / np.sqrt((x**2).sum() * (y**2).sum(0))


def _range(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    return np.ptp(heights, axis=0)


def _turning_distance(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    return np.where(heights[0] >= 0.5, 0.0, _first_at_zero(distances, heights - 0.5))


def _distance_at_drop(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    if drop is None or not drop > 0:
        raise UserError(f"distance_at_drop: drop must be a number above 0, got {drop}")
    return _first_at_zero(distances, heights[0] - heights - drop)


def _first_at_zero(distances: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Distance where heights (k, R) first reach 0 from below; NaN if never: (R,)."""
    reached, columns = heights >= 0, np.arange(heights.shape[1])
    after = reached.argmax(0)
    before = np.maximum(after - 1, 0)
    low, high = heights[before, columns], heights[after, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(after > 0, -low / (high - low), 1.0)
    found = distances[before] + part * (distances[after] - distances[before])
    return np.where(reached.any(0) & ~np.isnan(heights).any(0), found, np.nan)


# Each takes the distances of a grid, (k,), the statistic at each, (k, R), and drop.
CURVE_FUNCTIONS = {
    "spearman": _spearman,
    "range": _range,
    "turning_distance": _turning_distance,
    "distance_at_drop": _distance_at_drop,
}
CURVE_LIMITS = {"spearman": (-1.0, 1.0)}  # all other functions are at least 0


class Measure:
    """Estimates of quantities, each computed once.

    A quantity is a number, or a mapping of one of these forms:

    - ``model`` and ``statistic``, and optionally ``set`` (ood), ``column`` (log_prob)
      and ``component`` (all): see :func:`estimate`.
    - ``stored``: the name of a stored estimate.
    - ``difference`` or ``ratio`` of two quantities, ``largest`` or ``smallest`` of several.
    - ``curve`` and ``function`` of a statistic (``auroc`` unless said; ``set``,
      ``column`` and ``component`` as above) along a grid of models, one per distance:
      ``spearman`` (rank correlation with the distance), ``range`` (largest minus
      smallest), ``turning_distance`` (smallest distance at which the AUROC reaches 0.5;
      0 if it starts at 0.5 or above) and ``distance_at_drop`` (smallest distance at
      which it is ``drop`` below its first value). Distances are interpolated within the
      grid; a distance that is never reached is NaN.

    Args:
        scores: scores by model.
        n_bootstrap: number of replicates.
        seed: seed of the bootstrap.
        stored: estimates by name, see :func:`load_stored`.
        curves: grids by name, each a sequence of (distance, model).
    """

    def __init__(
        self,
        scores: Mapping[str, ScoreTable],
        n_bootstrap: int,
        seed: int = 0,
        stored: Mapping[str, Estimate] | None = None,
        curves: Mapping[str, Sequence[tuple[float, str]]] | None = None,
    ) -> None:
        self.scores, self.n_bootstrap, self.seed = scores, n_bootstrap, seed
        self.stored, self.curves = stored or {}, curves or {}
        self._known: dict[str, Estimate] = {}
        combined = dict.fromkeys(OPERATIONS, self._of_operation)
        self._forms = {
            "model": self._of_model,
            "stored": self._of_stored,
            "curve": self._of_curve,
            **combined,
        }

    def __call__(self, quantity: Mapping | float) -> Estimate:
        """The estimate of a quantity.

        Raises:
            UserError: unknown form or name, or the number of stored replicates
                differs from n_bootstrap.
        """
        if isinstance(quantity, int | float):
            return Estimate(float(quantity))
        form = next((key for key in self._forms if key in quantity), None)
        if form is None:
            raise UserError(f"quantity {dict(quantity)}: needs one of {', '.join(self._forms)}")
        whole = {"set": "ood", "column": "log_prob"} | dict(quantity)
        key = json.dumps(whole, sort_keys=True)
        if key not in self._known:
            self._known[key] = self._forms[form](whole)
        return self._known[key]

    def _of_model(self, quantity: Mapping) -> Estimate:
        return estimate(
            pick(self.scores, quantity["model"], "model"),
            quantity.get("statistic"),
            quantity["set"],
            quantity["column"],
            self.n_bootstrap,
            self.seed,
            quantity.get("component"),
        )

    def _of_stored(self, quantity: Mapping) -> Estimate:
        name = quantity["stored"]
        found = pick(self.stored, name, "stored estimate")
        if len(found.replicates) not in (0, self.n_bootstrap):
            raise UserError(
                f"stored estimate {name!r} has {len(found.replicates)} replicates, the bootstrap "
                f"{self.n_bootstrap}: delete {name.split('/')[0]}.csv and run again"
            )
        return found

    def _of_operation(self, quantity: Mapping) -> Estimate:
        name = next(key for key in OPERATIONS if key in quantity)
        return combine(OPERATIONS[name], [self(part) for part in quantity[name]])

    def _of_curve(self, quantity: Mapping) -> Estimate:
        grid = sorted(pick(self.curves, quantity["curve"], "curve"))
        function = pick(CURVE_FUNCTIONS, quantity.get("function"), "function of a curve")
        about = {"statistic": "auroc"} | dict(quantity)
        about = {k: about[k] for k in ("statistic", "set", "column", "component") if k in about}
        distances, drop = np.array([float(d) for d, _ in grid]), quantity.get("drop")
        heights = [self({"model": model, **about}) for _, model in grid]
        found = combine(lambda rows: function(distances, rows, drop), heights)
        return replace(found, limits=CURVE_LIMITS.get(quantity["function"], (0.0, np.inf)))


# Rows of a file of stored estimates: what a number is, of which model or images, and its number.
STORED_INDEX = ["row", "of", "number"]


def save_stored(path: Path | str, estimates: Mapping[str, Estimate]) -> None:
    """Save estimates as a table, a column for each.

    The rows are ``value``; ``replicate``, one for each resample of images; ``without``,
    one for each training of each model; and ``images``, their number by source. A cell is
    empty where an estimate has no such number.
    """
    columns = {name: pd.Series(_cells(found)) for name, found in estimates.items()}
    rows = dict.fromkeys(key for column in columns.values() for key in column.index)
    index = pd.MultiIndex.from_tuples(rows, names=STORED_INDEX)
    with atomic(path) as temporary:
        pd.DataFrame({n: c.reindex(index) for n, c in columns.items()}, index).to_csv(temporary)


def _cells(found: Estimate) -> dict[tuple[str, str, int], float]:
    cells = {("value", "", 0): found.value}
    cells |= {("replicate", "", i): x for i, x in enumerate(found.replicates, 1)}
    for model, values in found.without.items():
        cells |= {("without", model, k): x for k, x in enumerate(values)}
    return cells | {("images", name, 0): float(n) for name, n in found.images.items()}


def stored_estimates(table: pd.DataFrame) -> dict[str, Estimate]:
    """Estimates by column, of a table that :func:`save_stored` wrote."""
    indexed = table.assign(of=table["of"].astype(object).fillna("")).set_index(STORED_INDEX)
    return {str(name): _from_cells(indexed[name]) for name in indexed.columns}


def _from_cells(column: pd.Series) -> Estimate:
    given = column.dropna()

    def part(row: str) -> pd.Series:
        """All numbers of a row, those that are none among them, if any is given."""
        of = given.index[given.index.get_level_values("row") == row].get_level_values("of")
        rows, ofs = (column.index.get_level_values(level) for level in ("row", "of"))
        return column[(rows == row) & ofs.isin(of)]

    without, images = part("without"), part("images")
    return Estimate(
        float(column.loc[("value", "", 0)]),
        part("replicate").to_numpy(float),
        {str(model): v.to_numpy() for model, v in without.groupby("of", sort=False)},
        dict(zip(images.index.get_level_values("of"), images.astype(int).tolist(), strict=True)),
    )


def load_stored(paths: Sequence[Path | str]) -> dict[str, Estimate]:
    """Load stored estimates by ``<file>/<column>``, the file name without its suffix."""
    return {
        f"{path.stem}/{column}": found
        for path in map(Path, paths)
        for column, found in stored_estimates(read_csv(path)).items()
    }
