"""Quantities of claims: statistics of models and curves, and stored estimates."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic
from oodpriors.statistics.estimates import Estimate, ScoreTable, estimate, pick


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
    """Distance where heights (k, R) first reach 0 from below; the last if never: (R,)."""
    reached, columns = heights >= 0, np.arange(heights.shape[1])
    after = np.where(reached.any(0), reached.argmax(0), len(distances) - 1)
    before = np.maximum(after - 1, 0)
    low, high = heights[before, columns], heights[after, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(reached.any(0) & (after > 0), -low / (high - low), 1.0)
    found = distances[before] + part * (distances[after] - distances[before])
    return np.where(np.isnan(heights).any(0), np.nan, found)


# Each takes the distances of a grid, (k,), the statistic at each, (k, R), and drop.
CURVE_FUNCTIONS = {
    "spearman": _spearman,
    "range": _range,
    "turning_distance": _turning_distance,
    "distance_at_drop": _distance_at_drop,
}


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
      grid; a distance that is never reached is the grid's largest.

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
            return Estimate(float(quantity)).over(self.n_bootstrap)
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
        found = pick(self.stored, name, "stored estimate").over(self.n_bootstrap)
        if len(found.replicates) != self.n_bootstrap:
            raise UserError(
                f"stored estimate {name!r} has {len(found.replicates)} replicates, the bootstrap "
                f"{self.n_bootstrap}: delete {name.split('/')[0]}.csv and run again"
            )
        return found

    def _of_operation(self, quantity: Mapping) -> Estimate:
        name = next(key for key in OPERATIONS if key in quantity)
        return Estimate.of(OPERATIONS[name](np.stack([self(q).row for q in quantity[name]])))

    def _of_curve(self, quantity: Mapping) -> Estimate:
        grid = sorted(pick(self.curves, quantity["curve"], "curve"))
        function = pick(CURVE_FUNCTIONS, quantity.get("function"), "function of a curve")
        about = {"statistic": "auroc"} | dict(quantity)
        about = {k: about[k] for k in ("statistic", "set", "column", "component") if k in about}
        heights = np.stack([self({"model": model, **about}).row for _, model in grid])
        distances = np.array([float(distance) for distance, _ in grid])
        return Estimate.of(function(distances, heights, quantity.get("drop")))


def save_stored(path: Path | str, estimates: Mapping[str, Estimate]) -> None:
    """Save estimates as a table, a column for each: row 0 is the value, then replicates.

    A number that is known without error is repeated if other columns have replicates.
    """
    longest = max((len(found.replicates) for found in estimates.values()), default=0)
    columns = {name: found.over(longest).row for name, found in estimates.items()}
    with atomic(path) as temporary:
        pd.DataFrame(columns).rename_axis("replicate").to_csv(temporary)


def load_stored(paths: Sequence[Path | str]) -> dict[str, Estimate]:
    """Load stored estimates by ``<file>/<column>``, the file name without its suffix."""
    stored = {}
    for path in map(Path, paths):
        table = pd.read_csv(path, index_col="replicate")
        for column, values in table.sort_index().items():
            stored[f"{path.stem}/{column}"] = Estimate.of(values.to_numpy())
    return stored
