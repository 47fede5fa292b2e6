"""Claims about a VAE, judged a second time with the likelihood from a refined posterior.

The paper estimates the likelihood of a VAE with the encoder as proposal. So a claim can
hold because of the encoder alone, whatever the likelihood of the model is.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas as pd

from oodpriors.statistics.claims import REFINED, judge
from oodpriors.statistics.quantities import Measure

COLUMNS = {"log_prob": "log_prob_refined", "latent_first": "latent_first_refined"}


def judge_both(
    claims: Sequence[Mapping], published: Sequence[Mapping], measure: Measure
) -> pd.DataFrame:
    """Judge the claims, and those about a VAE's likelihood also with refined posteriors.

    Returns:
        The rows of :func:`oodpriors.statistics.claims.judge`, those with refined posteriors
        last.
    """
    again = refined_claims(claims, measure.scores, measure.curves)
    tables = judge(claims, published, measure), judge(again, published, measure, REFINED)
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def refined_claims(
    claims: Sequence[Mapping], scores: Mapping, curves: Mapping[str, Sequence]
) -> list[Mapping]:
    """The claims that use the encoder's estimate, with the refined one in its place.

    A claim is left out if it compares anything of a VAE for which there is no refined value.

    Args:
        claims: see :func:`oodpriors.statistics.claims.judge`.
        scores: tables by model, see :class:`oodpriors.statistics.estimates.ScoreTable`.
        curves: grids by name, each a sequence of (distance, model).
    """
    models = {name for name, table in scores.items() if table.refined}
    grids = {name for name, grid in curves.items() if {model for _, model in grid} <= models}
    changed: list[Mapping] = []
    for claim in claims:
        used = {_column(leaf) for leaf in _leaves(claim["comparisons"], models | grids)}
        if used & COLUMNS.keys() and used <= COLUMNS.keys():
            parts = {key: claim[key] for key in ("comparisons", "but") if key in claim}
            changed.append({**claim, **_replaced(parts, models | grids)})
    return changed


def _column(leaf: Mapping) -> str:
    return leaf.get("column", "log_prob")


def _leaves(entry, refined: Collection[str]) -> Iterator[Mapping]:
    """Statistics of refined models and of curves of them."""
    if _is_leaf(entry, refined):
        yield entry
    elif isinstance(entry, list | Mapping):
        for part in entry.values() if isinstance(entry, Mapping) else entry:
            yield from _leaves(part, refined)


def _is_leaf(entry, refined: Collection[str]) -> bool:
    return isinstance(entry, Mapping) and (entry.get("model") or entry.get("curve")) in refined


def _replaced(entry, refined: Collection[str]):
    if _is_leaf(entry, refined):
        return {**entry, "column": COLUMNS[_column(entry)]}
    if isinstance(entry, Mapping):
        return {key: _replaced(value, refined) for key, value in entry.items()}
    return [_replaced(part, refined) for part in entry] if isinstance(entry, list) else entry
