"""Layers of the VAE as built (Tables 2 and 3)."""

import pandas as pd


def show_architecture(table: pd.DataFrame) -> pd.DataFrame:
    shown: dict = {"Part": table["part"], "Operation": table["operation"].fillna("–")}
    for name in ("kernel", "stride", "channels", "pad"):
        cells = zip(table[name], table[f"paper_{name}"], strict=True)
        shown[name.capitalize()] = [_beside(ours, paper) for ours, paper in cells]
    return pd.DataFrame(
        shown
        | {"Output": table["output"].fillna("–")}
        | {"Batch norm": ["yes" if n is True or n == "True" else "" for n in table["norm"]]}
        | {"Differs": ["yes" if isinstance(d, str) and d else "" for d in table["differs"]]}
    )


def _beside(ours: float, paper: float) -> str:
    mine, theirs = ("–" if pd.isna(value) else f"{value:.0f}" for value in (ours, paper))
    return mine if mine == theirs else f"{mine} ({theirs})"
